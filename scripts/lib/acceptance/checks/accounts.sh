# Accounts: what is metered, whose it is, and what is written of it

accounts() {
    say "== accounts"
    check "a RAPL counter bound over /sys/class/powercap is the meter" powercap
    check "a job's energy is measured, no more than the counter went up by, and billed to who submitted it" energy_of_a_job
    check "what the meter is booked with is what the counter showed" meter_is_right
    check "parts and meter add up, to the microjoule" balance
    check "the ledger stands its audit" audit
    check "a backup is made while mld runs, and a daemon on what was put back tells of every job the same" backup
    check "no restore while mld runs" no_restore_meanwhile
}

# The tree has to be there before mld looks: as on a machine that has it. It is seen off after mld, and the time is kept.
powercap() {
    cat >/etc/systemd/system/fake-powercap.service <<UNIT
[Unit]
Before=mld.service
[Service]
Type=notify
NotifyAccess=all
ExecStart=/usr/local/sbin/fake-powercap
ExecStopPost=/bin/sh -c 'date +%%s%%6N >/var/lib/acceptance-stopped'
[Install]
WantedBy=multi-user.target
UNIT
    install -m 755 "$here/fake-powercap" /usr/local/sbin/fake-powercap
    systemctl daemon-reload
    systemctl enable -q --now fake-powercap.service
    restart_mld
    within 180 sh -c 'mlctl devices | grep "package-0 *measured *[0-9]"'
}

# The counter goes up by 12 W, whatever is done. Of that a busy job gets its share of the idle power at least, which is at most the
# machine's over the CPUs, and never more than all: a reading lies before its start and one after its end.
energy_of_a_job() {
    local id joules
    id=$(command_job 'timeout 20 sh -c "while :; do :; done" || true' 'name = "count"' | submit ada)
    mlctl wait "$id"
    mlctl show "$id" --format json | python3 -c '
import json, sys
from datetime import datetime
cpus = int(sys.argv[1])
job = json.load(sys.stdin)["job"]
energy = job["energy"]
seconds = (datetime.fromisoformat(job["ended_at"]) - datetime.fromisoformat(job["started_at"])).total_seconds()
assert seconds >= 20, job
assert energy["tier"] == "measured", energy
assert abs(energy["active_j"] + energy["reserved_idle_j"] - energy["energy_j"]) < 1e-3, energy
assert energy["energy_low_j"] <= energy["energy_j"] <= energy["energy_high_j"], energy
assert 0.25 * 12 / cpus * seconds <= energy["energy_j"] <= 12 * (seconds + 5), (seconds, energy)
print(energy["energy_j"], "J in", seconds, "s")' "$(nproc)" >/run/energy
    # Rows of a report by user are those of ada, who ran it.
    joules=$(cut -d' ' -f1 /run/energy)
    mlctl report --by user --format json | python3 -c '
import json, sys
rows = {row["key"]: row for row in json.load(sys.stdin)["rows"]}
assert rows["ada"]["figures"]["energy_j"] >= float(sys.argv[1]) and rows["ada"]["jobs"] > 0, rows' "$joules"
    cat /run/energy
}

# metered [EACH] is what was booked of the fake counter, in all or of each minute: microjoules, and the microseconds in which they were
# drawn. A report books what was read until then.
metered() {
    mlctl report >/dev/null
    ledger "SELECT SUM(metered_uj), SUM(metered_us) FROM domain_minutes m JOIN domains d ON d.id = m.domain_id
        WHERE d.name = 'package-0' ${1:+GROUP BY minute}"
}

# In all and in each minute. The counter is a moment old whenever a daemon reads it for the first time or the last.
meter_is_right() {
    local energy time
    read -r energy time <<<"$(metered)"
    number "$time > 20e6 and abs($energy - 12 * $time) <= 0.03 * 12 * $time + 12 * 3e6"
    metered each | while read -r energy time; do
        number "abs($energy - 12 * $time) <= 0.03 * 12 * $time + 12 * 5e6"
    done
    echo "$((energy / 1000)) mJ in $((time / 1000)) ms"
}

balance() { mlctl report | grep -o 'balance: .*residual 0 µJ'; }

audit() {
    systemctl start mld-audit.service
    mlctl report --audit | grep -x 'the ledger is what mld wrote'
}

# Jobs that have ended do not change, so that both daemons have the same to tell of them.
backup() {
    local jobs at=/var/tmp/restored
    rm -rf "$at" /var/tmp/ledger.db
    jobs=$(mlctl list --limit 1000 --format json)
    mld backup --system /var/tmp/ledger.db
    mkdir "$at"
    mld restore --state "$at" /var/tmp/ledger.db
    trap 'systemctl stop restored-ledger.service' EXIT
    systemd-run -q --unit restored-ledger -p Delegate=yes --setenv=HOME=/root mld --state "$at" --socket "$at/sock"
    within 180 mlctl list --socket "$at/sock" >/dev/null
    same "$(mlctl list --socket "$at/sock" --limit 1000 --format json)" "$jobs"
    same "$(mlctl report --socket "$at/sock" --audit | head -1)" "the ledger is what mld wrote"
    echo "$(grep -c '"id" :' <<<"$jobs") jobs"
}

no_restore_meanwhile() {
    local jobs
    jobs=$(mlctl list --limit 1000 --format json)
    refused_saying "another mld is running on /var/lib/mld" mld restore --system /var/tmp/ledger.db
    same "$(mlctl list --limit 1000 --format json)" "$jobs"
    rm -r /var/tmp/restored /var/tmp/ledger.db
}
