#!/usr/bin/env bash
# Make dist/PairLens-VERSION-ARCH.dmg of dist/PairLens.app, on macOS, after `make freeze`.
#
# Signed only where the certificate's name is given, and notarised only where the account is too:
#   PAIRLENS_SIGN_AS          "Developer ID Application: NAME (TEAM)", in the keychain
#   PAIRLENS_NOTARY_PROFILE   what `xcrun notarytool store-credentials` was told to call it
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

version=$(sed -n 's/^__version__ = "\(.*\)"/\1/p' engine/__init__.py)
app=dist/PairLens.app
image=dist/PairLens-$version-$(uname -m).dmg
[ -d "$app" ] || { echo "$app is not there; run: make freeze" >&2; exit 1; }

if [ -n "${PAIRLENS_SIGN_AS:-}" ]; then
    # From the inside out: a signature covers the signatures of what is within.
    find "$app/Contents" -type f \( -name '*.dylib' -o -name '*.so' \) -print0 |
        xargs -0 codesign --force --timestamp --options runtime --sign "$PAIRLENS_SIGN_AS"
    codesign --force --timestamp --options runtime --entitlements packaging/macos/entitlements.plist \
        --sign "$PAIRLENS_SIGN_AS" "$app"
    codesign --verify --deep --strict "$app"
else
    echo "PAIRLENS_SIGN_AS is not set: the program is not signed, and macOS will say so" >&2
fi

stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
cp -R "$app" "$stage/"
ln -s /Applications "$stage/Applications"
rm -f "$image"
hdiutil create -volname PairLens -srcfolder "$stage" -fs HFS+ -format ULMO "$image"

if [ -n "${PAIRLENS_SIGN_AS:-}" ]; then
    codesign --timestamp --sign "$PAIRLENS_SIGN_AS" "$image"
    if [ -n "${PAIRLENS_NOTARY_PROFILE:-}" ]; then
        xcrun notarytool submit "$image" --keychain-profile "$PAIRLENS_NOTARY_PROFILE" --wait
        xcrun stapler staple "$image"
    fi
fi
echo "$image"
