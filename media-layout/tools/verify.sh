#!/bin/sh
# Checks every bundle on this medium with a POSIX shell, sha512sum and, where it is installed, minisign. It changes nothing.
#
#   sh ferry/tools/verify.sh [-p origin.pub]
#
# With -p the signatures are checked by that key, which you have from the origin and not from this medium, and every 4 MiB of the archives
# against what was signed. A medium can lie about itself and in this script, too: keep a copy of it where you keep the key.
#
# Exit codes: 0 everything is sound, 3 damage was found or a signature is wrong, 10 there is no bundle, 64 wrong usage.
set -u
LC_ALL=C
export LC_ALL
chunk=4194304
status=0
found=0
key=

usage() {
    echo "usage: verify.sh [-p origin.pub]" >&2
    exit 64
}

while [ $# -gt 0 ]; do
    case $1 in
    -p)
        [ $# -ge 2 ] || usage
        key=$2
        shift 2
        [ -f "$key" ] || { echo "verify.sh: there is no key at $key" >&2; exit 64; }
        ;;
    *) usage ;;
    esac
done
if [ -n "$key" ] && ! command -v minisign >/dev/null 2>&1; then
    echo "verify.sh: minisign is not installed, so signatures cannot be checked" >&2
    exit 64
fi
case $key in '' | /*) ;; *) key=$(pwd)/$key ;; esac

fail() {
    echo "DAMAGED  $name: $1"
    status=3
    sound=no
}

# The value of a member of a document that is written without spaces: of a number, of hexadecimal.
member() { sed -n "s/.*\"$2\":\"\{0,1\}\([0-9a-f]*\).*/\1/p" "$1" | head -n 1; }

# The bytes of a file; names here have no spaces.
size() {
    set -- $(ls -nd "$1")
    echo "$5"
}

# Nothing but plain files of plain names: anything else could block, or lead elsewhere.
plain() {
    for file in "$1"/* "$1"/.[!.]*; do
        [ -e "$file" ] || [ -L "$file" ] || continue
        case ${file##*/} in
        .*.draft) continue ;;
        *[!A-Za-z0-9.-]*) fail "a file has a strange name"; return 1 ;;
        esac
        if [ -L "$file" ] || [ ! -f "$file" ]; then fail "${file##*/} is no plain file"; return 1; fi
    done
}

sums() {
    if [ ! -f "$1/SHA512SUMS" ]; then fail "SHA512SUMS is missing"; return; fi
    if grep -q -v -x '[0-9a-f]\{128\}  [A-Za-z0-9][A-Za-z0-9.-]*' "$1/SHA512SUMS"; then fail "SHA512SUMS is not one"; return; fi
    for file in $(cut -c131- "$1/SHA512SUMS"); do
        [ -f "$1/$file" ] || fail "$file is missing"
    done
    for file in "$1"/diff-*; do
        [ -f "$file" ] || { fail "there is no archive"; return; }
        grep -q -x "[0-9a-f]\{128\}  ${file##*/}" "$1/SHA512SUMS" || fail "${file##*/} is not in SHA512SUMS"
    done
    [ $sound = yes ] || return
    wrong=$(cd "$1" && sha512sum -c SHA512SUMS 2>/dev/null | grep -v ': OK$')
    [ -z "$wrong" ] || fail "$wrong"
}

signature() {
    count=0
    for file in "$1"/descriptor.json*.minisig; do
        [ -f "$file" ] || continue
        said=$(minisign -V -Q -p "$key" -m "$1/descriptor.json" -x "$file" 2>/dev/null) || continue
        case $said in *"bundle=${1##*/} "*) count=$((count + 1)) ;; esac
    done
    [ $count -gt 0 ] || { fail "no signature is by that key"; return 1; }
}

# The archive, or its volumes, against the table of chunks that the signed descriptor names.
chunks() {
    table=$(member "$1/descriptor.json" chunkTableSHA512)
    covered=$(member "$1/descriptor.json" coveredLength)
    [ -n "$table" ] && [ -n "$covered" ] || { fail "descriptor.json is not one"; return; }
    if [ "$(sha512sum <"$1/chunks.sha512" | cut -c1-128)" != "$table" ]; then fail "chunks.sha512 is not what was signed"; return; fi
    offset=0
    cut=
    if [ -f "$1/part.json" ]; then cut=$(member "$1/part.json" volumeSizeBytes); fi
    for file in "$1"/diff-*; do
        length=$(size "$file")
        if [ -n "$cut" ]; then
            number=${file##*.}
            number=${number#0}
            offset=$(((${number#0} - 1) * cut))
        fi
        left=$((covered - offset))
        [ $left -lt $length ] || left=$length
        first=$((offset / chunk))
        last=$(((offset + left + chunk - 1) / chunk))
        if [ $left -gt 0 ]; then
            wrong=$(
                od -An -v -tx1 "$1/chunks.sha512" | tr -d ' \n' | fold -w 128 | sed -n "$((first + 1)),${last}p" | {
                    at=0
                    while read -r digest || [ -n "$digest" ]; do
                        part=$((left - at * chunk))
                        [ $part -lt $chunk ] || part=$chunk
                        got=$({ dd bs=$chunk skip=$at count=0 2>/dev/null; dd bs=$part count=1 2>/dev/null; } <"$file" | sha512sum | cut -c1-128)
                        [ "$got" = "$digest" ] || echo " $((at * chunk))-$((at * chunk + part - 1))"
                        at=$((at + 1))
                    done
                    [ $at -eq $((last - first)) ] || echo " all: the table of chunks ends before"
                } | tr -d '\n'
            )
            [ -z "$wrong" ] || fail "${file##*/} is not what was signed: bytes$wrong"
        fi
        offset=$((offset + length))
    done
    if [ -z "$cut" ] && [ $offset -lt "$covered" ]; then fail "the archive is cut off"; fi
}

check() {
    found=$((found + 1))
    sound=yes
    name=${1##*/}
    plain "$1" && sums "$1"
    proven="its signature was not checked"
    if [ $sound = yes ] && [ -n "$key" ] && signature "$1"; then
        chunks "$1"
        proven="signed by that key"
    fi
    note=
    if [ "$2" = bundles ] && ! grep -q "\"bundle\":\"$name\"" "$ferry/index.json" 2>/dev/null; then note="; not listed in index.json: unfinished"; fi
    if [ "$2" = parts ]; then note="; only some volumes of it are here"; fi
    [ $sound = no ] || echo "sound    $name: $proven$note"
}

case $0 in */*) tools=${0%/*} ;; *) tools=. ;; esac
ferry=$(cd "$tools/.." && pwd) || exit 10
for kind in bundles parts; do
    for folder in "$ferry/$kind"/b-*; do
        [ -d "$folder" ] && [ ! -L "$folder" ] || continue
        check "$folder" $kind
    done
done
if [ $found -eq 0 ]; then
    echo "there is no bundle in $ferry"
    exit 10
fi
exit $status
