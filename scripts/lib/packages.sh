# Sourced by the other scripts: makes sure that the Debian packages mld needs are there.

# need_packages NAME... installs those that are missing, by name, with sudo if we are not root.
need_packages() {
    local missing=() name
    for name in "$@"; do
        dpkg-query -W -f '${Status}' "$name" 2>/dev/null | grep -q 'install ok installed' || missing+=("$name")
    done
    [ "${#missing[@]}" -eq 0 ] && return 0
    local as_root=()
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || {
            echo "These Debian packages are missing: ${missing[*]}" >&2
            echo "Ask an admin to run: apt-get install ${missing[*]}" >&2
            return 1
        }
        as_root=(sudo)
    fi
    echo "Installing Debian packages: ${missing[*]}"
    "${as_root[@]}" apt-get update -qq
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" \
        >/dev/null
}

need_swift() {
    command -v swift >/dev/null || {
        echo "swift is not on the PATH: install the Swift 6.2 toolchain or later from https://www.swift.org/install/linux/" >&2
        return 1
    }
}

# What building needs, and what running needs.
build_packages=(libsystemd-dev libopenblas-dev libsqlite3-dev libseccomp-dev pkg-config)
run_packages=(bubblewrap)
