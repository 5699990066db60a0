#!/usr/bin/env bash
# The system packages that PairLens's window needs and pip can't bring.
#
#   bash scripts/system-packages.sh           install what is missing (Debian, Ubuntu)
#   bash scripts/system-packages.sh --test    the same, and what the tests need
#   bash scripts/system-packages.sh --package and what `make package test-package` needs
#   bash scripts/system-packages.sh --check   only name what is missing; exit 1 if anything is
#
# On other systems it says what to do. Quick and silent when everything is there.
set -euo pipefail

with_tests=no
with_package=no
only_check=no
for argument in "$@"; do
    case $argument in
        --test) with_tests=yes ;;
        --package) with_tests=yes; with_package=yes ;;
        --check) only_check=yes ;;
        *) sed -n '2,9s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
    esac
done

# What Qt and its web engine load, what text and keys need, and nothing that comes with those.
window=(
    fontconfig fonts-dejavu-core xkb-data
    libasound2 libdbus-1-3 libdrm2 libegl1 libfontconfig1 libgbm1 libgl1 libglib2.0-0
    libgssapi-krb5-2 libnss3 libx11-xcb1 libxcb-cursor0 libxcb-dri3-0 libxcb-icccm4
    libxcb-image0 libxcb-keysyms1 libxcb-randr0 libxcb-render-util0 libxcb-shape0 libxcb-xkb1
    libxcomposite1 libxdamage1 libxkbcommon-x11-0 libxkbfile1 libxrandr2 libxtst6
)
# A screen without a monitor, a browser to drive, a font for the Chinese page, screenshots; what
# looks into libraries, packs archives and compiles the Windows installer.
tests=(binutils chromium gcc libc6-dev fonts-noto-cjk imagemagick nsis xauth xdotool xvfb zstd)

fedora_window="alsa-lib dbus-libs dejavu-sans-fonts krb5-libs libX11-xcb libXcomposite libXdamage \
libXrandr libXtst libdrm libglvnd-egl libglvnd-glx libxcb libxkbcommon-x11 libxkbfile mesa-libgbm \
nss xcb-util-cursor xcb-util-image xcb-util-keysyms xcb-util-renderutil xcb-util-wm xkeyboard-config"
fedora_tests="ImageMagick chromium google-noto-sans-cjk-fonts xdotool xorg-x11-server-Xvfb xorg-x11-xauth"

case $(uname -s) in
    Darwin)
        [ $only_check = yes ] ||
            echo "macOS: the window uses the system's own WebKit, so no system package is needed." >&2
        exit 0 ;;
    MINGW* | MSYS* | CYGWIN*)
        [ $only_check = yes ] ||
            echo "Windows: the window uses Microsoft's WebView2 runtime, which Windows 11 and an" \
                "up-to-date Windows 10 already have; elsewhere install it from Microsoft." >&2
        exit 0 ;;
esac

if ! command -v dpkg-query >/dev/null; then
    # Not Debian's family: what is installed can't be asked for, so a check stays silent;
    # `pairlens doctor` tries the libraries themselves.
    [ $only_check = no ] || exit 0
    if command -v dnf >/dev/null; then
        echo "Fedora: install the packages with" >&2
        echo "  sudo dnf install $fedora_window$([ $with_tests = no ] || echo " $fedora_tests")" >&2
    else
        echo "This is neither Debian's family nor Fedora. Install what your system calls these:" >&2
        echo "  ${window[*]}$([ $with_tests = no ] || echo " ${tests[*]}")" >&2
    fi
    exit 0
fi

wanted=("${window[@]}")
[ $with_tests = no ] || wanted+=("${tests[@]}")
# A bare Debian to install into, and who judges what desktops are told.
[ $with_package = no ] || wanted+=(appstream debootstrap desktop-file-utils iproute2 strace)
python3 -c 'import ensurepip, venv' 2>/dev/null || wanted+=(python3-venv)

# Newer releases call some libraries NAMEt64 (64-bit time).
installed=$(dpkg-query -W -f='${db:Status-Status} ${Package}\n' | sed -n 's/^installed //p')
missing=()
for package in "${wanted[@]}"; do
    grep -qxE "${package//./\\.}(t64)?" <<<"$installed" || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

if [ "$(id -u)" = 0 ]; then
    as_root=(env DEBIAN_FRONTEND=noninteractive)
    command="apt-get install ${missing[*]}"
else
    as_root=(sudo env DEBIAN_FRONTEND=noninteractive)
    command="sudo apt-get install ${missing[*]}"
fi
if [ $only_check = yes ]; then
    echo "Missing system packages; without them the window may not open. To install them:" >&2
    echo "  $command" >&2
    exit 1
fi
if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; then
    echo "Become root and run:" >&2
    echo "  apt-get install ${missing[*]}" >&2
    exit 1
fi

echo "Installing ${missing[*]} ..." >&2
"${as_root[@]}" apt-get update -qq
names=()
for package in "${missing[@]}"; do
    if apt-cache show "${package}t64" >/dev/null 2>&1; then
        names+=("${package}t64")
    else
        names+=("$package")
    fi
done
"${as_root[@]}" apt-get install -qq -y --no-install-recommends "${names[@]}" </dev/null >/dev/null
