; Windows installer of PairLens. Compiled by makensis, on any system:
;
;   makensis -DVERSION=0.1.0 -DNUMBERS=0.1.0.0 -DPAYLOAD=dist\pairlens -DICON=build\pairlens.ico -DLICENCE=LICENSE
;            -DOUT=dist\PairLens-0.1.0-x64-setup.exe packaging\windows\pairlens.nsi
;
; It installs for the person who starts it, without administrator rights. Nothing is downloaded.

Unicode true
SetCompressor /SOLID lzma
; The program and a dictionary of 64 MB: its large libraries are alike.
SetCompressorDictSize 64

!include MUI2.nsh
!include FileFunc.nsh
!include x64.nsh
!include WinVer.nsh

!define KEY "Software\Microsoft\Windows\CurrentVersion\Uninstall\PairLens"
!define CLASSES "Software\Classes"
; Where Microsoft's Edge updater notes the WebView2 runtime, for all users and for one.
!define WEBVIEW "Microsoft\EdgeUpdate\Clients\{F3017226-FE2A-4295-8BDF-00C3A9A7E4C5}"

Name "PairLens"
OutFile "${OUT}"
InstallDir "$LOCALAPPDATA\Programs\PairLens"
InstallDirRegKey HKCU "${KEY}" "InstallLocation"
RequestExecutionLevel user
BrandingText "PairLens ${VERSION}"
VIProductVersion "${NUMBERS}"
VIAddVersionKey "ProductName" "PairLens"
VIAddVersionKey "FileDescription" "PairLens Setup"
VIAddVersionKey "FileVersion" "${VERSION}"
VIAddVersionKey "ProductVersion" "${VERSION}"
VIAddVersionKey "LegalCopyright" "The PairLens authors, Apache License 2.0"

!define MUI_ICON "${ICON}"
!define MUI_UNICON "${ICON}"
!define MUI_ABORTWARNING
!define MUI_FINISHPAGE_RUN "$INSTDIR\pairlens.exe"
!insertmacro MUI_PAGE_WELCOME
!insertmacro MUI_PAGE_LICENSE "${LICENCE}"
!insertmacro MUI_PAGE_DIRECTORY
!insertmacro MUI_PAGE_INSTFILES
!insertmacro MUI_PAGE_FINISH
!insertmacro MUI_UNPAGE_CONFIRM
!insertmacro MUI_UNPAGE_INSTFILES
!insertmacro MUI_LANGUAGE "English"
!insertmacro MUI_LANGUAGE "SimpChinese"

LangString WEBVIEW_MISSING ${LANG_ENGLISH} "PairLens shows its window with Microsoft's WebView2 runtime, which is not on this computer. PairLens will be installed; for its window to open, install the runtime too.$\r$\n$\r$\nThis works without a network: on another computer, download the Evergreen Standalone Installer (x64) from$\r$\nhttps://developer.microsoft.com/microsoft-edge/webview2$\r$\nand run it here."
LangString WEBVIEW_MISSING ${LANG_SIMPCHINESE} "PairLens 的窗口需要微软的 WebView2 运行时，而这台电脑上没有。PairLens 会照常安装；要打开窗口，请另外安装该运行时。$\r$\n$\r$\n不联网也可以：在另一台电脑上从$\r$\nhttps://developer.microsoft.com/microsoft-edge/webview2$\r$\n下载 Evergreen Standalone Installer (x64)，然后在这台电脑上运行。"
LangString NOT_64 ${LANG_ENGLISH} "PairLens needs a 64-bit Windows 10 (version 1809) or newer."
LangString NOT_64 ${LANG_SIMPCHINESE} "PairLens 需要 64 位 Windows 10（1809 版）或更新的系统。"
LangString KEEP_DATA ${LANG_ENGLISH} "Keep what PairLens knows of your photos (libraries, settings, imported models, the list of what was copied and moved)?$\r$\n$\r$\nYes: a later installation goes on with it. No: it is deleted. Your photos stay in either case."
LangString KEEP_DATA ${LANG_SIMPCHINESE} "要保留 PairLens 的数据（图库、设置、导入的模型、复制和移动的记录）吗？$\r$\n$\r$\n“是”：以后重新安装时可以继续使用。“否”：全部删除。无论如何，您的照片都不会动。"
LangString OPEN_WITH ${LANG_ENGLISH} "Open with PairLens"
LangString OPEN_WITH ${LANG_SIMPCHINESE} "用 PairLens 打开"

Function .onInit
    ${IfNot} ${RunningX64}
    ${OrIfNot} ${AtLeastWin10}
        MessageBox MB_OK|MB_ICONSTOP "$(NOT_64)" /SD IDOK
        Quit
    ${EndIf}
FunctionEnd

; $0 becomes the runtime's version, or nothing.
Function FindWebView
    SetRegView 32
    ReadRegStr $0 HKLM "SOFTWARE\${WEBVIEW}" "pv"
    SetRegView 64
    ${If} $0 == ""
        ReadRegStr $0 HKCU "Software\${WEBVIEW}" "pv"
    ${EndIf}
    ${If} $0 == "0.0.0.0"
        StrCpy $0 ""
    ${EndIf}
FunctionEnd

!macro OpenWith TYPE
    WriteRegStr HKCU "${CLASSES}\${TYPE}\shell\PairLens" "" "$(OPEN_WITH)"
    WriteRegStr HKCU "${CLASSES}\${TYPE}\shell\PairLens" "Icon" "$INSTDIR\pairlens.exe"
    WriteRegStr HKCU "${CLASSES}\${TYPE}\shell\PairLens\command" "" '"$INSTDIR\pairlens.exe" "%1"'
!macroend

Section
    SetOutPath "$INSTDIR"
    ; What an older version left would be loaded by the new one.
    RMDir /r "$INSTDIR\_internal"
    File /r "${PAYLOAD}\*"
    WriteUninstaller "$INSTDIR\uninstall.exe"

    CreateShortcut "$SMPROGRAMS\PairLens.lnk" "$INSTDIR\pairlens.exe"
    !insertmacro OpenWith "SystemFileAssociations\image"
    !insertmacro OpenWith "Directory"

    WriteRegStr HKCU "${KEY}" "DisplayName" "PairLens"
    WriteRegStr HKCU "${KEY}" "DisplayVersion" "${VERSION}"
    WriteRegStr HKCU "${KEY}" "Publisher" "The PairLens authors"
    WriteRegStr HKCU "${KEY}" "DisplayIcon" "$INSTDIR\pairlens.exe"
    WriteRegStr HKCU "${KEY}" "InstallLocation" "$INSTDIR"
    WriteRegStr HKCU "${KEY}" "UninstallString" '"$INSTDIR\uninstall.exe"'
    WriteRegStr HKCU "${KEY}" "QuietUninstallString" '"$INSTDIR\uninstall.exe" /S'
    WriteRegDWORD HKCU "${KEY}" "NoModify" 1
    WriteRegDWORD HKCU "${KEY}" "NoRepair" 1
    ${GetSize} "$INSTDIR" "/S=0K" $0 $1 $2
    IntFmt $0 "0x%08X" $0
    WriteRegDWORD HKCU "${KEY}" "EstimatedSize" "$0"

    Call FindWebView
    ${If} $0 == ""
        MessageBox MB_OK|MB_ICONINFORMATION "$(WEBVIEW_MISSING)" /SD IDOK
    ${EndIf}
SectionEnd

Section "Uninstall"
    ; Only what was installed: a folder that a person chose may hold files of theirs.
    RMDir /r "$INSTDIR\_internal"
    Delete "$INSTDIR\pairlens.exe"
    Delete "$INSTDIR\uninstall.exe"
    RMDir "$INSTDIR"
    Delete "$SMPROGRAMS\PairLens.lnk"
    DeleteRegKey HKCU "${CLASSES}\SystemFileAssociations\image\shell\PairLens"
    DeleteRegKey HKCU "${CLASSES}\Directory\shell\PairLens"
    DeleteRegKey HKCU "${KEY}"

    ; Unasked, as in a silent removal, the data stay.
    MessageBox MB_YESNO|MB_ICONQUESTION "$(KEEP_DATA)" /SD IDYES IDYES done
    RMDir /r "$LOCALAPPDATA\PairLens"
    done:
SectionEnd
