# Packages: from one version to the next, and away

packages() {
    say "== packages"
    check "an upgrade leaves a running job alone, restarts mld and keeps what an admin wrote" upgrade
    check "a service that an admin stopped and disabled stays so through an upgrade" upgrade_of_disabled
    check "an upgrade from a release with an earlier schema copies the ledger and brings it up to date" upgrade_of_schema
    check "removal stops mld, and keeps ledger, results, configuration and a job that runs" remove
    check "installed again, mld goes on in the same ledger and takes that job up" reinstall
    check "nothing ended by itself through all of that" only_kills_restarted
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

upgrade_of_schema() {
    local jobs ledger=/var/lib/mld/ledger.db
    jobs=$(mlctl list --limit 2000 --format json)
    systemctl stop mld.service mld.socket
    undo_last_migrations "$ledger"
    same "$(schema_of "$ledger")" v8
    DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --reinstall "$here"/next/mld_*.deb
    within 180 serves
    same "$(schema_of "$ledger")" v10
    same "$(schema_of "$ledger.v8.backup")" v8
    same "$(mlctl list --limit 2000 --format json)" "$jobs"
    mlctl report --audit | grep -x 'the ledger is what mld wrote'
}

# What Sources/Ledger/Migrations+Version9.swift and Migrations+Version10.swift did: one that follows has to be undone before.
undo_last_migrations() {
    python3 -c '
import sqlite3, sys
ledger = sqlite3.connect(sys.argv[1])
ledger.execute("DROP INDEX jobs_by_submission")
ledger.execute("ALTER TABLE jobs DROP COLUMN submission")
for table in "spans", "span_hours", "span_days":
    for column in "money_micros", "active_money_micros", "priced_uj", "active_priced_uj":
        ledger.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
ledger.execute("ALTER TABLE jobs DROP COLUMN user_groups")
ledger.execute("DROP TABLE prices")
ledger.execute("DELETE FROM grdb_migrations WHERE identifier IN (?, ?)", ["v9", "v10"])
ledger.commit()' "$1"
}

schema_of() {
    python3 -c '
import sqlite3, sys
print(*max(sqlite3.connect("file:" + sys.argv[1] + "?mode=ro", uri=True).execute("SELECT identifier FROM grdb_migrations"),
    key=lambda row: int(row[0][1:])))' "$1"
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
    mlctl report --audit | grep -x 'the ledger is what mld wrote'
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

# Files of others may come and go meanwhile.
nothing_left() {
    local left
    rm -f /etc/mld/carbon-token
    rmdir /etc/mld 2>/dev/null || true
    rm -rf /etc/systemd/system/mld.service.d
    left=$(find / -ignore_readdir_race -xdev \( -name 'mld*' -o -name 'mlctl*' -o -name 'mltrain*' \) -not -path '/proc/*' \
        -not -path '/checks/*' -not -path '/tmp/*' -not -path '/var/cache/man/*')
    same "$left" ""
    getent group mld
}
