# Build dist\PairLens-VERSION-x64-setup.exe on Windows; needs Python 3.12 and NSIS.
$ErrorActionPreference = "Stop"
$PSNativeCommandUseErrorActionPreference = $true
Set-Location (Join-Path $PSScriptRoot "..\..")

function Invoke-Checked { & $args[0] @($args | Select-Object -Skip 1); if ($LASTEXITCODE) { throw "$args" } }

$version = (Select-String -Path engine\__init__.py -Pattern '^__version__ = "(.+)"').Matches[0].Groups[1].Value
$python = "build\package-venv\Scripts\python.exe"
if (-not (Test-Path $python)) { Invoke-Checked py -3.12 -m venv build\package-venv }
Invoke-Checked $python -m pip install --quiet -c constraints.txt -e ".[package,raw]"
$env:PYTHONHASHSEED = "0"
Invoke-Checked $python -m PyInstaller --noconfirm --clean --log-level WARN `
    --distpath dist --workpath build\pyinstaller packaging\pairlens.spec

$makensis = Get-Command makensis -ErrorAction SilentlyContinue
$makensis = if ($makensis) { $makensis.Source } else { "${env:ProgramFiles(x86)}\NSIS\makensis.exe" }
$root = (Get-Location).Path
Invoke-Checked $makensis "/DVERSION=$version" "/DNUMBERS=$version.0" "/DPAYLOAD=$root\dist\pairlens" `
    "/DICON=$root\build\pyinstaller\pairlens\pairlens.ico" "/DLICENCE=$root\LICENSE" `
    "/DOUT=$root\dist\PairLens-$version-x64-setup.exe" packaging\windows\pairlens.nsi
