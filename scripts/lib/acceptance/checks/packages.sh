# Packages: from one version to the next, and away

packages() {
    say "== packages"
    check "an upgrade leaves a running job alone, restarts mld and keeps what an admin wrote" upgrade
    check "a service that an admin stopped and disabled stays so through an upgrade" upgrade_of_disabled
    check "removal stops mld, and keeps ledger, results, configuration and a job that runs" remove
    check "installed again, mld goes on in the same ledger and takes that job up" reinstall
    check "purge takes the configuration away and keeps the ledger" purge
    check "with /etc/mld/purge-ledger it takes the ledger too" purge_ledger
    check "nothing is left but the group" nothing_left
}

upgrade() {
    local id pid
    echo '# mine' >>/etc/mld/policies.d/00-default.toml
    id=$(lasting ada)
    within 120 in_state "$id" running
    pid=$(main_pid)
    install_packages next
    within 180 serves
    in_state "$id" running
    number "$(main_pid) != $pid"
    same "$(tail -1 /etc/mld/policies.d/00-default.toml)" '# mine'
    let_end ada "$id"
    mlctl wait "$id"
    ended_once "$id"
    echo "job $id went on under $(dpkg-query -W -f '${Version}' mld)"
}

upgrade_of_disabled() {
    systemctl disable -q --now mld.service mld.socket
    DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --reinstall "$here"/next/*.deb
    refused systemctl is-active -q mld.service
    refused systemctl is-active -q mld.socket
    refused systemctl is-enabled -q mld.socket
    systemctl enable -q --now mld.socket mld.service
    within 180 serves
}

remove() {
    local jobs running
    jobs=$(command_job true | submit ada)
    mlctl wait "$jobs"
    running=$(lasting bob)
    within 120 in_state "$running" running
    echo "$running" >/var/lib/acceptance-running
    apt-get -qq remove -y mld
    refused systemctl is-active -q mld.service
    refused systemctl is-active -q mld.socket
    refused test -e /usr/bin/mlctl
    refused pgrep -f "^/usr/bin/mld "
    test -s /var/lib/mld/ledger.db
    test -e "/var/lib/mld/jobs/$jobs"
    same "$(tail -1 /etc/mld/policies.d/00-default.toml)" '# mine'
}

reinstall() {
    local id running
    running=$(cat /var/lib/acceptance-running)
    DEBIAN_FRONTEND=noninteractive apt-get -qq install -y "$here"/next/mld_*.deb
    within 180 serves
    in_state "$running" running
    id=$(command_job true | submit ada)
    same "$id" $((running + 1))
    let_end bob "$running"
    mlctl wait "$id" "$running"
    ended_once "$running"
    mlctl report --audit | head -1
}

purge() {
    apt-get -qq purge -y mld
    refused test -e /etc/mld/mld.toml
    refused test -e /etc/mld/policies.d
    refused test -e /run/mld
    test -s /var/lib/mld/ledger.db
}

purge_ledger() {
    DEBIAN_FRONTEND=noninteractive apt-get -qq install -y "$here"/next/mld_*.deb
    within 180 serves
    touch /etc/mld/purge-ledger
    apt-get -qq purge -y mld mltrain
    refused test -e /var/lib/mld
    refused test -e /etc/mld/purge-ledger
}

nothing_left() {
    local left
    rm -f /etc/mld/carbon-token
    rmdir /etc/mld 2>/dev/null || true
    rm -rf /etc/systemd/system/mld.service.d
    left=$(find / -xdev \( -name 'mld*' -o -name 'mlctl*' -o -name 'mltrain*' \) -not -path '/proc/*' -not -path '/checks/*' -not -path '/tmp/*' \
        -not -path '/var/cache/man/*')
    same "$left" ""
    getent group mld
}
