#!/bin/sh
# Bundles the page: build.sh OUTPUT.swift writes it as Swift source, build.sh FOLDER/ writes its files.
set -eu
output="$1"
app="$(cd "$(dirname "$0")" && pwd)/app"

command -v esbuild >/dev/null 2>&1 || { echo "error: esbuild is missing, which bundles the page; \"scripts/setup\" installs it" >&2; exit 1; }
[ -d /usr/share/nodejs/react-dom ] || { echo "error: React is missing, which the page is made with; \"scripts/setup\" installs it" >&2; exit 1; }

case "$output" in
*/) files="${output%/}"; mkdir -p "$files" ;;
*) files="$(mktemp -d)"; trap 'rm -rf "$files"' EXIT ;;
esac
rm -rf "$files/assets"

NODE_PATH=/usr/share/nodejs NODE_ENV=production esbuild "$app/main.tsx" "$app/early.ts" --bundle --minify --jsx=automatic --target=es2020 \
    --format=iife --define:process.env.NODE_ENV='"production"' --legal-comments=none --charset=utf8 --log-level=warning \
    --entry-names='[name]-[hash]' --outdir="$files/assets"
cp "$app/icon.svg" "$files/assets/icon.svg"

name() { basename "$files"/assets/$1; }
sed -e "s/{early.js}/$(name 'early-*.js')/" -e "s/{main.js}/$(name 'main-*.js')/" -e "s/{main.css}/$(name 'main-*.css')/" \
    "$app/index.html" >"$files/index.html"

case "$output" in */) exit 0 ;; esac
{
    echo "let builtFiles: [BuiltFile] = ["
    cd "$files"
    for file in index.html assets/*; do
        printf '    BuiltFile(path: "%s", content: "%s", gzipped: "%s"),\n' "$file" "$(base64 -w0 "$file")" "$(gzip -9nc "$file" | base64 -w0)"
    done
    echo "]"
} >"$output.draft"
mv "$output.draft" "$output"
