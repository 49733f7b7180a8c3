# Accounts: what is metered, whose it is, and what is written of it

accounts() {
    say "== accounts"
    check "a RAPL counter bound over /sys/class/powercap is the meter" powercap
    check "a job's energy is measured, and billed to who submitted it" energy_of_a_job
    check "parts and meter add up, to the microjoule" balance
    check "the ledger stands its audit" audit
    check "a backup is made while mld runs, and put back" backup
    check "the journal tells a job's story by MLD_JOB_ID" journal_of_a_job
    check "the token of a carbon service comes by LoadCredential, and is sent" credentials
    check "a reload takes a policy, and the ends of jobs are told to a program and by mail from then on" notices
    check "a mistake in a policy file changes nothing and is in the journal with its line" bad_policy
}

# The tree has to be there before mld looks: as on a machine that has it.
powercap() {
    cat >/etc/systemd/system/fake-powercap.service <<UNIT
[Unit]
Before=mld.service
[Service]
Type=notify
NotifyAccess=all
ExecStart=/usr/local/sbin/fake-powercap
[Install]
WantedBy=multi-user.target
UNIT
    install -m 755 "$here/fake-powercap" /usr/local/sbin/fake-powercap
    systemctl daemon-reload
    systemctl enable -q --now fake-powercap.service
    systemctl restart mld.service
    within 180 serves
    sleep 12
    mlctl devices | grep 'package-0 *measured'
}

energy_of_a_job() {
    local id said
    id=$(command_job 'n=0; while [ $n -lt 20000 ]; do n=$((n + 1)); done; sleep 1' 'name = "count"' | submit ada)
    mlctl wait "$id"
    said=$(mlctl show "$id" --format json | python3 -c '
import json, sys
energy = json.load(sys.stdin)["job"]["energy"]
assert energy["tier"] == "measured", energy
assert energy["energy_j"] > 0, energy
print(energy["energy_j"], "J")')
    # Rows of a report by user are those of ada, who ran it.
    mlctl report --by user --format json | python3 -c '
import json, sys
rows = {row["key"]: row for row in json.load(sys.stdin)["rows"]}
assert rows["ada"]["figures"]["energy_j"] > 0 and rows["ada"]["jobs"] > 0, rows'
    echo "$said"
}

balance() { mlctl report | grep -o 'balance: .*residual 0 µJ'; }

audit() {
    if [ -e /lib/systemd/system/mld-audit.service ]; then systemctl start mld-audit.service; fi
    mlctl report --audit | head -1
}

# Put back into a directory of its own, where a daemon then finds the jobs.
backup() {
    rm -rf /var/tmp/restored /var/tmp/ledger.db
    mld backup --system /var/tmp/ledger.db
    mkdir /var/tmp/restored
    mld restore --state /var/tmp/restored /var/tmp/ledger.db | head -1
    rm -rf /var/tmp/restored /var/tmp/ledger.db
}

journal_of_a_job() {
    local id said
    id=$(command_job 'exit 3' 'name = "storied"' | submit ada)
    mlctl wait "$id" || true
    # Whoever waits may hear of the end before the journal does.
    within 20 ended_in_journal "$id"
    said=$(journalctl -q MLD_JOB_ID="$id" -o json)
    has "$said" '"MLD_USER":"ada"'
    has "$said" '"MLD_EVENT":'
    # Submitted or started, and ended: nothing of another job.
    number "$(wc -l <<<"$said") >= 2"
    same "$(grep -o '"MLD_JOB_ID":"[^"]*"' <<<"$said" | sort -u)" "\"MLD_JOB_ID\":\"$id\""
    echo "$(wc -l <<<"$said") entries: $(grep -o '"MLD_EVENT":"[^"]*"' <<<"$said" | cut -d'"' -f4 | paste -sd ' ')"
}

ended_in_journal() {
    journalctl --sync
    journalctl -q MLD_JOB_ID="$1" -o cat | grep -q '^failed'
}

credentials() {
    cat >/usr/local/sbin/fake-grid <<'PYTHON'
#!/usr/bin/python3
import http.server

class Grid(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        open("/run/fake-grid-token", "w").write(self.headers.get("auth-token", "none"))
        body = b'{"zone": "DE", "carbonIntensity": 123, "datetime": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-01T00:00:00Z"}'
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

http.server.HTTPServer(("127.0.0.1", 8080), Grid).serve_forever()
PYTHON
    chmod 755 /usr/local/sbin/fake-grid
    systemd-run -q --unit fake-grid /usr/local/sbin/fake-grid
    (umask 077 && echo 2b-or-not-2b >/etc/mld/carbon-token)
    mkdir -p /etc/systemd/system/mld.service.d
    printf '[Service]\nLoadCredential=carbon-token:/etc/mld/carbon-token\n' >/etc/systemd/system/mld.service.d/carbon.conf
    cat >/etc/mld/policies.d/50-carbon.toml <<'POLICY'
[carbon]
source = { url = "http://127.0.0.1:8080/v3/carbon-intensity/latest", format = "electricity-maps", zone = "DE" }
POLICY
    systemctl daemon-reload
    within 60 grep -q 1F90 /proc/net/tcp
    systemctl restart mld.service
    within 180 serves
    within 120 grep -q 2b-or-not-2b /run/fake-grid-token
    # It is mld's alone: no job is told of it.
    same "$(run_as ada 'echo "${CREDENTIALS_DIRECTORY:-none}"')" none
    rm /etc/mld/policies.d/50-carbon.toml /etc/systemd/system/mld.service.d/carbon.conf
    systemctl stop fake-grid
    systemctl daemon-reload
    systemctl restart mld.service
    within 180 serves
}

# Behind mld's walls: the program and what stands in for a mail system write where mld may.
notices() {
    local id before
    printf '#!/bin/sh\ncat >"/var/lib/mld/told.$MLD_JOB_ID"\n' >/etc/mld/notify
    chmod 755 /etc/mld/notify
    before=$(mlctl policy show --format json | grep hash)
    [ ! -e /usr/sbin/sendmail ]
    printf '#!/bin/sh\ncat >/var/lib/mld/mail\n' >/usr/sbin/sendmail
    chmod 755 /usr/sbin/sendmail
    printf '[notify]\nhook = "/etc/mld/notify"\non = ["failed"]\nmail = true\n' >/etc/mld/policies.d/60-notices.toml
    systemctl reload mld.service
    within 60 sh -c 'mlctl policy show --format json | grep hash | grep -vqF "$1"' - "$before"
    id=$(command_job 'exit 3' 'notify.mail = "ada@example.org"' | submit ada)
    mlctl wait "$id" || true
    within 60 test -s "/var/lib/mld/told.$id"
    within 60 test -s /var/lib/mld/mail
    has "$(cat /var/lib/mld/mail)" 'To: ada@example.org'
    python3 -c '
import json, sys
notice = json.load(open(sys.argv[1]))
assert notice["event"] == "job-ended" and notice["user"] == "ada" and notice["exit_status"] == 3, notice
print(notice["state"], notice["energy_j"], "J", notice["tier"])' "/var/lib/mld/told.$id"
    rm /var/lib/mld/told.* /var/lib/mld/mail /usr/sbin/sendmail /etc/mld/notify /etc/mld/policies.d/60-notices.toml
    systemctl reload mld.service
    within 60 sh -c 'mlctl policy show --format json | grep -qF "$1"' - "$before"
}

bad_policy() {
    local before
    before=$(mlctl policy show --format json | grep hash)
    printf '[machine]\nreserve-cpuss = 1\n' >/etc/mld/policies.d/90-wrong.toml
    systemctl reload mld.service
    within 60 sh -c 'journalctl --sync; journalctl -q -u mld -o cat -n 5 | grep "90-wrong.toml:2"'
    same "$(mlctl policy show --format json | grep hash)" "$before"
    rm /etc/mld/policies.d/90-wrong.toml
    journalctl -q -u mld -o cat -n 5 | grep -o '90-wrong.toml:2.*'
}
