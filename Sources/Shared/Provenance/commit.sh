#!/bin/sh
# Says which commit a tree of sources is: commit.sh TREE OUTPUT.swift. Where it is no clone, "git archive" has put the commit below.
set -eu
tree="$1"
output="$2"
archived='$Format:%H$'

# Variables of a hook that this build may run in speak of another repository.
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE GIT_PREFIX
commit=""
changed=false
# A tree that was unpacked somewhere inside another repository is not that one's.
if prefix="$(git -C "$tree" rev-parse --show-prefix 2>/dev/null)" && [ -z "$prefix" ]; then
    commit="$(git -C "$tree" rev-parse --verify --quiet HEAD || true)"
    [ -z "$(git -C "$tree" --no-optional-locks status --porcelain -- Package.swift Sources)" ] || changed=true
elif [ "${archived#\$}" = "$archived" ]; then
    commit="$archived"
fi

mkdir -p "$(dirname "$output")"
text="let builtCommit = \"$commit\"
let builtFromChanges = $changed"
[ "$text" = "$(cat "$output" 2>/dev/null || true)" ] || printf '%s\n' "$text" >"$output"
