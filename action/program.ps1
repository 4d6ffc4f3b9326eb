# program.ps1: program.sh for Windows. What is said there holds here.
. "$PSScriptRoot/guard.ps1"
[Net.ServicePointManager]::SecurityProtocol = [Net.ServicePointManager]::SecurityProtocol -bor [Net.SecurityProtocolType]::Tls12

$action = $env:GITHUB_ACTION_PATH
$cache = Join-Path $env:RUNNER_TOOL_CACHE 'vouchsafe'
$work = Join-Path $env:RUNNER_TEMP ('vouchsafe-program.' + [Guid]::NewGuid().ToString('N'))
$null = New-Item -ItemType Directory -Path $work

$own = ''
foreach ($line in [IO.File]::ReadAllLines((Join-Path $action 'Cargo.toml'))) {
    if ($line -match '^version = "([^"]*)"$') { $own = $Matches[1]; break }
}
$version = $env:INPUT_VERSION
if (-not $version) { $version = $own }
$version = $version -replace '^v', ''
if ($version -notmatch '\A[0-9A-Za-z.+-]+\z') { Stop-Step "version ``$version`` is none: say it as in action/checksums.txt, or leave it out" 2 }

# Windows on arm64 runs programs for x86-64.
$archive = "vouchsafe-$version-x86_64-pc-windows-msvc.zip"
$wanted = ''
foreach ($line in [IO.File]::ReadAllLines((Join-Path $action 'action/checksums.txt'))) {
    $digest, $name = $line -split '\s+', 2
    if ($name -and $name.Trim() -ceq $archive) { $wanted = $digest }
}

if ($action.Replace('\', '/') -match '.*/_actions/([^/]+/[^/]+)/') { $repository = $Matches[1] }
elseif ($env:ACTION_REPOSITORY) { $repository = $env:ACTION_REPOSITORY }
else { $repository = 'vouchsafe/vouchsafe' }
$server = $env:GITHUB_SERVER_URL
if (-not $server) { $server = 'https://github.com' }

function Get-Sum([string]$File) { (Get-FileHash -Algorithm SHA256 -LiteralPath $File).Hash.ToLowerInvariant() }

function Get-WithToken([string]$File) {
    if (-not $env:INPUT_GITHUB_TOKEN -or -not $env:GITHUB_API_URL) { throw 'there is no token for the API' }
    $headers = @{ Authorization = "Bearer $($env:INPUT_GITHUB_TOKEN)" }
    $release = Invoke-RestMethod -UseBasicParsing -Headers $headers -Uri "$($env:GITHUB_API_URL)/repos/$repository/releases/tags/v$version"
    $asset = $release.assets | Where-Object { $_.name -ceq $archive } | Select-Object -First 1
    if (-not $asset -or -not $asset.url.StartsWith("$($env:GITHUB_API_URL)/")) { throw "the release has no $archive" }
    $headers.Accept = 'application/octet-stream'
    Invoke-WebRequest -UseBasicParsing -Headers $headers -Uri $asset.url -OutFile $File
}

if ($wanted) {
    $kept = Join-Path $cache "$version-$wanted/$archive"
    $file = Join-Path $work $archive
    if (Test-Path -LiteralPath $kept) { Copy-Item -LiteralPath $kept -Destination $file }
    if ((Test-Path -LiteralPath $file) -and (Get-Sum $file) -ceq $wanted) {
        Write-Output "vouchsafe ${version}: from the tool cache"
    } else {
        $url = "$server/$repository/releases/download/v$version/$archive"
        Write-Output "vouchsafe ${version}: $url"
        try { Invoke-WebRequest -UseBasicParsing -Uri $url -OutFile $file }
        catch {
            try { Get-WithToken $file }
            catch { Stop-Step "could not get ${url}: where the runner may not reach it, install vouchsafe there and say binary-path" }
        }
        $sum = Get-Sum $file
        if ($sum -cne $wanted) { Stop-Step "$url has sha256 $sum, and the action's own table says ${wanted}: nothing of it was run" }
        try {
            $null = New-Item -ItemType Directory -Force -Path (Split-Path $kept)
            Copy-Item -LiteralPath $file -Destination "$kept.$PID"
            Move-Item -Force -LiteralPath "$kept.$PID" -Destination $kept
        } catch { Write-Output 'the tool cache cannot be written; going on without' }
    }
    Expand-Archive -LiteralPath $file -DestinationPath $work
    $program = Get-ChildItem -LiteralPath $work -Recurse -Filter 'vouchsafe.exe' | Select-Object -First 1
    if (-not $program) { Stop-Step "$archive holds no program" }
    $path = $program.FullName
} else {
    if ($version -cne $own) { Stop-Step "action/checksums.txt has no row for ${archive}: use the release of the action that has" 2 }
    if (-not (Get-Command cargo -ErrorAction SilentlyContinue)) {
        Stop-Step "there is no release of $archive, and no cargo to build it: install vouchsafe on the runner and say binary-path"
    }
    $sums = Get-ChildItem -LiteralPath (Join-Path $action 'src') -Recurse -File | Sort-Object FullName | ForEach-Object { Get-Sum $_.FullName }
    $sums += Get-Sum (Join-Path $action 'Cargo.lock')
    $list = Join-Path $work 'sources'
    [IO.File]::WriteAllLines($list, [string[]]$sums)
    $built = Join-Path $cache "built-$version-windows-$(Get-Sum $list)"
    $path = Join-Path $built 'bin/vouchsafe.exe'
    if (Test-Path -LiteralPath $path) {
        Write-Output "vouchsafe ${version}: built on this runner before"
    } else {
        Write-Command 'notice' "no release of $archive is known to this commit of the action: building its source, which takes minutes"
        # a build runs code of its dependencies, so it sees no secret that the job may have in its environment
        foreach ($name in 'VOUCHSAFE_SIGNING_KEY', 'VOUCHSAFE_PASSPHRASE', 'VOUCHSAFE_OPERATOR_TOKEN', 'VOUCHSAFE_API_TOKEN', 'VOUCHSAFE_ID_TOKEN', 'INPUT_GITHUB_TOKEN', 'GITHUB_TOKEN', 'GH_TOKEN',
            'ACTIONS_ID_TOKEN_REQUEST_TOKEN', 'ACTIONS_ID_TOKEN_REQUEST_URL', 'ACTIONS_RUNTIME_TOKEN',
            'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN') {
            [Environment]::SetEnvironmentVariable($name, $null)
        }
        $env:CARGO_TARGET_DIR = Join-Path $work 'target'
        & cargo install --locked --path $action --root $built --bin vouchsafe
        if ($LASTEXITCODE -ne 0) { Stop-Step 'could not build vouchsafe: it wants Rust 1.89, a C compiler and a package registry; or say binary-path' }
    }
}
# not Add-Content: Windows PowerShell would begin the file with a byte order mark
[IO.File]::AppendAllText($env:GITHUB_OUTPUT, "path=$path`n")
