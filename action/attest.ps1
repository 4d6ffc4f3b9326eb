# attest.ps1: attest.sh for Windows. What is said there holds here.
. "$PSScriptRoot/guard.ps1"

if ($env:INPUT_NEEDS -eq '{}') { $env:INPUT_NEEDS = '' }
if ($env:INPUT_NEEDS -and $env:INPUT_OUTCOME -ceq 'success') { $env:INPUT_OUTCOME = '' }

if ($env:INPUT_IMAGE_DIGEST) {
    if (-not $env:INPUT_IMAGE_NAME) { Stop-Step 'image-digest without image-name: say which image it is the digest of' 2 }
    $env:INPUT_IMAGE = $env:INPUT_IMAGE + "`n" + $env:INPUT_IMAGE_NAME + '@' + $env:INPUT_IMAGE_DIGEST
} elseif ($env:INPUT_IMAGE_NAME) {
    Write-Command 'notice' "image-digest is empty, so no image is recorded for $($env:INPUT_IMAGE_NAME)"
}

$names = @(
    'ENVIRONMENT', 'COMPONENT', 'VAULT', 'WORKING_DIRECTORY',
    'REPORT', 'REPORT_FORMAT', 'GATE_THRESHOLD', 'TEST_EXIT', 'ARTIFACT', 'IMAGE', 'IMAGE_METADATA', 'OCI_LAYOUT', 'IIDFILE', 'RESOLVE',
    'OUTCOME', 'NEEDS', 'TICKET', 'TICKET_PATTERN', 'REASON', 'EMERGENCY', 'APPROVED_BY', 'REVIEW_DAYS', 'OPERATOR', 'OPERATOR_TOKEN', 'OPERATOR_JWKS',
    'ON_BEHALF_OF', 'ENV', 'HEARTBEAT',
    'API', 'API_TOKEN', 'API_URL', 'FORGE', 'API_PATIENCE', 'CA_FILE', 'PIPELINE_FILE', 'IDENTITY', 'KEEP_EMAIL',
    'RETAIN', 'LOCK_MODE', 'LEGAL_HOLD', 'ANCHOR', 'TSA_URL', 'SPOOL', 'EMIT', 'EMIT_DIR',
    'SIGNING_KEY', 'PASSPHRASE', 'PASSPHRASE_FILE', 'SIGNER', 'PUBLIC_KEY', 'TRUST', 'KEY',
    'FAIL_ON', 'REQUIRE_CHANGES', 'ON_UPLOAD_FAILURE'
)
foreach ($name in $names) {
    $value = [Environment]::GetEnvironmentVariable("INPUT_$name")
    [Environment]::SetEnvironmentVariable("INPUT_$name", $null)
    if ($value) { [Environment]::SetEnvironmentVariable("VOUCHSAFE_$name", $value) }
}
if ($env:INPUT_GITHUB_TOKEN -and -not $env:GITHUB_TOKEN) { $env:GITHUB_TOKEN = $env:INPUT_GITHUB_TOKEN }
[Environment]::SetEnvironmentVariable('INPUT_GITHUB_TOKEN', $null)

$bundles = Join-Path $env:RUNNER_TEMP ('vouchsafe.' + [Guid]::NewGuid().ToString('N'))
$null = New-Item -ItemType Directory -Path $bundles
$env:VOUCHSAFE_OUTPUT = Join-Path $bundles 'record.json'
$env:VOUCHSAFE_STEP_OUTPUTS = $env:GITHUB_OUTPUT
$env:VOUCHSAFE_SUMMARY = $env:GITHUB_STEP_SUMMARY

$program = Get-Command -Name $env:PROGRAM -CommandType Application -ErrorAction SilentlyContinue | Select-Object -First 1
if (-not $program) { Stop-Step "binary-path ``$($env:PROGRAM)`` is no program: a path from the workspace, or a name in the PATH" 2 }
& $program.Source attest
exit $LASTEXITCODE
