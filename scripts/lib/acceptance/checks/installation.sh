# Installation

installation() {
    say "== installation"
    check "the packages install with nothing but what they depend on" install_packages first
    check "dpkg finds them whole" packages_are_whole
    check "the group mld is there, of the system" group_is_there
    check "the socket is root's and the group's, mode 0660" socket_rights
    check "the units are enabled and run" units_run
    check "systemctl enable --now mld.socket, once more, is no mistake" systemctl enable --now mld.socket
    check "the units have nothing systemd does not know" units_verify
    check "exposure by systemd-analyze security" exposure
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
}

units_run() {
    local unit
    for unit in mld.socket mld.service; do
        systemctl is-enabled -q "$unit"
        within 120 systemctl is-active -q "$unit"
    done
    if [ -e /lib/systemd/system/mld-audit.timer ]; then systemctl is-active -q mld-audit.timer; fi
    within 180 serves
}

units_verify() { same "$(systemd-analyze verify /lib/systemd/system/mld*.{service,socket,timer} 2>&1 | grep -i mld || true)" ""; }

exposure() {
    local line
    line=$(systemd-analyze security mld.service --no-pager | tail -1)
    echo "${line#* }"
    number "$(grep -o '[0-9]\.[0-9]' <<<"$line" | head -1) <= 2.5"
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
