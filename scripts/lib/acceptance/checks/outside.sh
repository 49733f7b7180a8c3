# What mld tells others, what it takes from them, and what no job is to see of it

outside() {
    say "== outside"
    check "the journal tells a job's story by MLD_JOB_ID" journal_of_a_job
    check "the token of a carbon service comes by LoadCredential, and is sent" credentials
    check "a job sees no meter, no ledger, no socket, no credential of mld's, not even one of root's" hidden
    check "without that service mld goes on" no_credentials
    check "a reload takes a policy, and the ends of jobs are told to a program and by mail from then on" notices
    check "a mistake in a policy file changes nothing and is in the journal with its line" bad_policy
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
    fake_grid
    (umask 077 && echo 2b-or-not-2b >/etc/mld/carbon-token)
    mkdir -p /etc/systemd/system/mld.service.d
    printf '[Service]\nLoadCredential=carbon-token:/etc/mld/carbon-token\n' >/etc/systemd/system/mld.service.d/carbon.conf
    cat >/etc/mld/policies.d/50-carbon.toml <<'POLICY'
[carbon]
source = { url = "http://127.0.0.1:8080/v3/carbon-intensity/latest", format = "electricity-maps", zone = "DE" }
POLICY
    systemctl daemon-reload
    restart_mld
    within 120 grep -qx 2b-or-not-2b /run/fake-grid-token
    within 120 sh -c "mlctl devices | grep -o 'carbon intensity 123 g/kWh'"
}

# A service that says 123 g/kWh, and keeps the token it was asked with.
fake_grid() {
    cat >/usr/local/sbin/fake-grid <<'PYTHON'
#!/usr/bin/python3
import datetime, http.server

class Grid(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        open("/run/fake-grid-token", "w").write(self.headers.get("auth-token", "none"))
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        body = b'{"zone": "DE", "carbonIntensity": 123, "datetime": "%b", "updatedAt": "%b"}' % (now.encode(), now.encode())
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

http.server.HTTPServer(("127.0.0.1", 8080), Grid).serve_forever()
PYTHON
    chmod 755 /usr/local/sbin/fake-grid
    systemd-run -q --unit fake-grid /usr/local/sbin/fake-grid
    within 60 grep -q 1F90 /proc/net/tcp
}

# All of it is there, as root sees outside of jobs. Root's job is the stronger trial: no mode keeps it from anything.
hidden() {
    local user place places=(/sys/class/powercap/intel-rapl:0/energy_uj /var/lib/mld/ledger.db /run/mld/mld.sock /run/mld/spawn.sock
        /run/credentials/mld.service/carbon-token /sys/fs/cgroup/system.slice /dev/cpu/0/msr)
    mkdir -p /dev/cpu/0
    [ -e /dev/cpu/0/msr ] || mknod -m 600 /dev/cpu/0/msr c 202 0
    for place in "${places[@]}"; do test -e "$place" || { echo "there is no $place to hide"; return 1; }; done
    for user in ada root; do
        same "$(run_as "$user" "for place in ${places[*]}; do [ ! -e \$place ] || echo \$place; done; echo looked" 2>/dev/null)" looked
        same "$(run_as "$user" 'echo "${CREDENTIALS_DIRECTORY:-none}"' 2>/dev/null)" none
    done
}

no_credentials() {
    rm /etc/mld/policies.d/50-carbon.toml /etc/systemd/system/mld.service.d/carbon.conf
    systemctl stop fake-grid
    systemctl daemon-reload
    restart_mld
    refused test -e /run/credentials/mld.service/carbon-token
}

# Behind mld's walls: the program and what stands in for a mail system write where mld may.
notices() {
    local id before
    printf '#!/bin/sh\ncat >"/var/lib/mld/told.$MLD_JOB_ID"\n' >/etc/mld/notify
    chmod 755 /etc/mld/notify
    before=$(policy_hash)
    [ ! -e /usr/sbin/sendmail ]
    printf '#!/bin/sh\ncat >/var/lib/mld/mail\n' >/usr/sbin/sendmail
    chmod 755 /usr/sbin/sendmail
    printf '[notify]\nhook = "/etc/mld/notify"\non = ["failed"]\nmail = true\n' >/etc/mld/policies.d/60-notices.toml
    systemctl reload mld.service
    within 60 policy_is_not "$before"
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
    within 60 policy_is "$before"
}

policy_hash() { mlctl policy show --format json | grep '"hash"'; }
policy_is() { [ "$(policy_hash)" = "$1" ]; }
policy_is_not() { [ "$(policy_hash)" != "$1" ]; }

bad_policy() {
    local before mark
    before=$(policy_hash)
    printf '[machine]\nreserve-cpuss = 1\n' >/etc/mld/policies.d/90-wrong.toml
    mark=$(journal_mark)
    systemctl reload mld.service
    within 60 journal_tells "$mark" 90-wrong.toml:2 -u mld
    policy_is "$before"
    rm /etc/mld/policies.d/90-wrong.toml
    journal_since "$mark" -u mld | grep -o '90-wrong.toml:2.*'
}
