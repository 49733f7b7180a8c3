# Installation

installation() {
    say "== installation"
    check "the packages install with nothing but what they depend on" install_packages first
    check "dpkg finds them whole" packages_are_whole
    check "the group mld is there, of the system" group_is_there
    check "the socket is root's and the group's, mode 0660" socket_rights
    check "the units are enabled and run" units_run
    check "systemctl enable --now mld.socket, once more, is no mistake" systemctl enable --now mld.socket
    check "systemd finds nothing in the units that it does not know" units_verify
    check "exposure by systemd-analyze security" exposures
    check "manual pages are there and found" manual_pages
    check "bash completes mlctl's verbs" completion
    check "the policy that is installed is taken" mlctl policy check /etc/mld/policies.d/00-default.toml
}

install_packages() {
    DEBIAN_FRONTEND=noninteractive apt-get -qq install -y "$here/$1"/*.deb
    dpkg-query -W -f '${Package} ${Version}, ' mld mltrain
}

packages_are_whole() {
    same "$(dpkg --verify mld mltrain)" ""
    same "$(dpkg --audit)" ""
}

group_is_there() {
    local id
    id=$(getent group mld | cut -d: -f3)
    [ "$id" -lt 1000 ]
    echo "gid $id"
}

socket_rights() {
    within 120 test -S /run/mld/mld.sock
    same "$(stat -c '%U:%G %a' /run/mld/mld.sock)" "root:mld 660"
    within 120 test -S /run/mld/spawn.sock
    same "$(stat -c '%U:%G %a' /run/mld/spawn.sock)" "root:root 600"
}

units_run() {
    local unit
    for unit in mld.socket mld-spawn.socket mld-jobs.service mld.service mld-audit.timer; do
        systemctl is-enabled -q "$unit"
        within 120 systemctl is-active -q "$unit"
    done
    within 180 serves
}

# What systemd says of its own units in this system it says with ours, too; anything else is about ours.
units_verify() {
    local bare said
    bare=$(systemd-analyze verify sysinit.target 2>&1)
    said=$(systemd-analyze verify /lib/systemd/system/mld*.{service,socket,timer} 2>&1)
    same "$(grep -vxF "$bare" <<<"$said" || true)" ""
    bare=$(XDG_RUNTIME_DIR=/run systemd-analyze --user verify default.target 2>&1)
    said=$(XDG_RUNTIME_DIR=/run systemd-analyze --user verify /usr/lib/systemd/user/mld*.service 2>&1)
    same "$(grep -vxF "$bare" <<<"$said" || true)" ""
}

# The bounds are those of docs/security.md.
exposures() {
    local unit bound figure all=
    while read -r unit bound; do
        figure=$(systemd-analyze security "$unit" --no-pager | sed -n 's/.*Overall exposure level for [^ ]*: \([0-9.]*\) .*/\1/p')
        number "0 < $figure <= $bound"
        all+=", $unit $figure"
    done <<'BOUNDS'
mld.service 2.5
mld-jobs.service 2.0
mld-spawn.service 5.8
mld-audit.service 1.5
BOUNDS
    echo "${all#, }"
}

manual_pages() {
    local page
    for page in 8:mld 1:mlctl 1:mltrain 8:mld-exec 5:mld.toml 5:mld-job; do
        man -w "${page%:*}" "${page#*:}" >/dev/null
        same "$(MANROFFSEQ='' man --warnings "${page%:*}" "${page#*:}" 2>&1 >/dev/null)" ""
    done
}

completion() {
    has "$(bash -c '. /usr/share/bash-completion/completions/mlctl && complete -p mlctl')" mlctl
}
