# guard.ps1: words that both scripts for Windows share. Windows PowerShell 5.1 is enough.
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue' # its bar makes a download ten times slower

# The data of a workflow command (GitHub docs, "Workflow commands": % CR LF are escaped).
function Write-Command([string]$Kind, [string]$Text) {
    $data = $Text.Replace('%', '%25').Replace("`r", '%0D').Replace("`n", '%0A')
    [Console]::Out.WriteLine("::$Kind title=vouchsafe::$data")
}

function Stop-Step([string]$Text, [int]$Code = 1) {
    Write-Command 'error' $Text
    exit $Code
}
