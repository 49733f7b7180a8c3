# What mld is tried with in a whole system: functions, each of which is a check or a group of them. Runs as root inside the system,
# with the packages in $here/first and a later version of them in $here/next.

passed=0 failed=0 skipped=0

say() { printf '%s\n' "$*"; }

# check WHAT COMMAND... runs a command that must succeed; the last line of what it says is shown as its evidence.
check() {
    local what=$1 said status began=$SECONDS took
    shift
    said=$(set -eu -o pipefail; "$@" 2>&1)
    status=$?
    took=$((SECONDS - began))
    if [ "$status" -eq 0 ]; then
        passed=$((passed + 1))
        said=$(tail -n 1 <<<"$said")
        say "ok    $what${said:+ [$said]} ($took s)"
    else
        failed=$((failed + 1))
        say "FAIL  $what (status $status, $took s)"
        tail -n 12 <<<"$said" | sed 's/^/        /'
        journalctl -u mld -n 6 --no-pager -o cat 2>/dev/null | sed 's/^/        mld: /'
    fi
}

skip() {
    skipped=$((skipped + 1))
    say "skip  $1: $2"
}

tell_tally() { say "checks: $passed passed, $failed failed, $skipped skipped"; }
keep_tally() { echo "$passed $failed $skipped" >/var/lib/acceptance-tally; }
take_tally() { read -r passed failed skipped </var/lib/acceptance-tally; }

# within SECONDS COMMAND... asks again until it succeeds.
within() {
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        [ "$SECONDS" -lt "$end" ] || return 1
        sleep 0.5
    done
}

# as USER COMMAND... runs it as a login of the user would.
as() {
    local user=$1
    shift
    runuser -l "$user" -c "$(printf '%q ' "$@")"
}

# same A B fails, saying so, where the two differ.
same() { [ "$1" = "$2" ] || { echo "\"$1\" is not \"$2\""; return 1; }; }
has() { [[ $1 == *"$2"* ]] || { echo "there is no \"$2\" in: $1"; return 1; }; }
# refused COMMAND... succeeds where the command fails.
# status_of FILE COMMAND... leaves what the command prints, its errors and its status in FILE, FILE.error and FILE.status.
status_of() {
    local file=$1 status=0
    shift
    "$@" >"$file" 2>"$file.error" || status=$?
    echo "$status" >"$file.status"
}
refused() { if "$@"; then echo "it was not refused: $*"; return 1; fi; }

# field JOB KEY is one value of a job, and of a JSON object the first of that name.
field() { mlctl show "$1" --format json | python3 -c 'import json, sys; print(json.load(sys.stdin)["job"].get(sys.argv[1], ""))' "$2"; }
in_state() { [ "$(field "$1" state)" = "$2" ]; }
cgroup_of() { echo /sys/fs/cgroup/system.slice/mld*.service/jobs/*"-$1-1"; }
main_pid() { systemctl show -P MainPID mld.service; }
serves() { systemctl is-active -q mld.service && mlctl list >/dev/null; }
number() { python3 -c "import sys; sys.exit(not ($1))"; }

# submit USER ARGUMENT... submits a command by a job file, and prints the job's number.
submit() {
    local user=$1 file
    shift
    file=$(mktemp /tmp/job.XXXXXX)
    cat >"$file"
    chmod 644 "$file"
    as "$user" mlctl submit "$file" "$@"
}

# command_job SHELL-TEXT [KEY=VALUE...] is a job file, of little memory where nothing else is said.
command_job() {
    printf '%s\n' "${@:2}"
    [[ $* == *resources.memory* ]] || echo 'resources.memory = "64 MiB"'
    echo "command.argv = [\"sh\", \"-c\", '''$1''']"
}

# lasting USER submits a job that goes on until let_end USER JOB, or until its time is over where a check failed before that.
lasting() { command_job "until [ -e end.\$MLD_JOB_ID ]; do sleep 1; done; echo over" 'resources.time = "20 min"' | submit "$1"; }
let_end() { touch "/home/$1/end.$2"; }

# run_as USER SHELL-TEXT runs a command as a job and follows it.
run_as() { as "$1" mlctl run --memory "64 MiB" -- sh -c "$2"; }

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

# Users

users() {
    say "== users"
    check "an admin adds a user to the group mld, another not" add_users
    check "a member submits a job, which runs as that member" member_runs
    check "who is not in the group is refused, and told which daemon" outsider_is_refused
    check "a job's exit status is mlctl run's" exit_status
    check "a member may not cancel root's job" no_one_acts_for_another
    check "a training job trains, in the build for this processor" training
}

add_users() {
    useradd -m -s /bin/bash ada
    useradd -m -s /bin/bash bob
    useradd -m -s /bin/bash eve
    usermod -aG mld ada
    usermod -aG mld bob
    id -nG ada
}

member_runs() {
    local said
    said=$(run_as ada 'id -un; pwd' 2>/dev/null)
    has "$said" ada
    has "$said" /home/ada
}

outsider_is_# status_of FILE COMMAND... leaves what the command prints, its errors and its status in FILE, FILE.error and FILE.status.
status_of() {
    local file=$1 status=0
    shift
    "$@" >"$file" 2>"$file.error" || status=$?
    echo "$status" >"$file.status"
}
refused() {
    local said status=0
    said=$(as eve mlctl list 2>&1) || status=$?
    same "$status" 3
    has "$said" /run/mld/mld.sock
    echo "$said" | tail -1
}

exit_status() {
    local status=0
    run_as ada 'exit 7' || status=$?
    same "$status" 7
}

no_one_acts_for_another() {
    local id
    id=$(command_job 'sleep 300' | submit bob)
    refused as ada mlctl cancel "$id"
    as bob mlctl cancel "$id"
}

training() {
    local id
    mkdir -p /home/ada/train
    python3 -c '
import random
random.seed(1)
print("a,b,label")
for _ in range(200):
    a, b = random.random(), random.random()
    print(f"{a:.3f},{b:.3f},{int(a + b > 1)}")' >/home/ada/train/data.csv
    cat >/home/ada/train/job.toml <<'JOB'
name = "plane"
[resources]
cpus = 1
memory = "256 MiB"
time = "20 min"
[train]
task = "classification"
epochs = 3
batch-size = 16
optimizer = "sgd"
loss = "binary-crossentropy"
metrics = ["accuracy"]
seed = 1
[data]
reader = "csv"
path = "."
file = "data.csv"
target = "label"
validation-split = 0
[[model.layer]]
type = "dense"
units = 1
activation = "sigmoid"
JOB
    chown -R ada: /home/ada/train
    id=$(as ada sh -c 'cd train && mlctl submit job.toml')
    mlctl wait "$id"
    same "$(field "$id" state)" succeeded
    as ada test -s "/var/lib/mld/jobs/$id/output/model/weights.safetensors"
    as ada mltrain --version
}

# Walls

walls() {
    say "== walls"
    if grep -q memory /sys/fs/cgroup/cgroup.controllers && grep -q cpu /sys/fs/cgroup/cgroup.controllers; then
        check "the daemon says that the control group has every controller" controllers
        check "a job that takes more than its memory is ended as out of memory" memory_limit
        check "a job of one CPU that keeps two busy gets one" cpu_limit
        check "a job of 16 processes gets no more" process_limit
    else
        skip "limits of memory, CPU time and processes" "this system has no such controllers"
    fi
    check "a job sees no meter, no ledger, no socket, no credential of mld's" hidden
    check "a job cannot reach another user's home" other_homes
    check "a job has no network it did not ask for" no_network
}

controllers() {
    local id said
    id=$(command_job true | submit ada)
    mlctl wait "$id"
    said=$(mlctl show "$id")
    if grep -i 'not:\|no cgroup\|has no .* controller' <<<"$said"; then return 1; fi
    grep -c . <<<"$(mlctl show "$id" --format json | sed -n '/"enforced"/,/]/p')"
    cat /sys/fs/cgroup/system.slice/mld*.service/jobs/cgroup.subtree_control
}

memory_limit() {
    local id status=0
    id=$(command_job 'exec tail /dev/zero' | submit ada)
    mlctl wait "$id" || status=$?
    same "$(field "$id" state)" out-of-memory
    # SIGKILL, from the kernel.
    same "$status" 137
    field "$id" reason
}

# Two busy loops for some seconds: what their control group was given of the machine's two processors.
cpu_limit() {
    local id group used then throttled
    id=$(command_job 'while :; do :; done & while :; do :; done' 'resources.cpus = 1' | submit ada)
    within 120 in_state "$id" running
    group=$(cgroup_of "$id")
    sleep 3
    used=$(sed -n 's/^usage_usec //p' "$group/cpu.stat")
    then=$(date +%s%6N)
    sleep 10
    used=$(($(sed -n 's/^usage_usec //p' "$group/cpu.stat") - used))
    then=$(($(date +%s%6N) - then))
    throttled=$(sed -n 's/^nr_throttled //p' "$group/cpu.stat")
    mlctl cancel "$id"
    # A period of the quota may lie across each end.
    number "$used < 1.1 * $then and $throttled > 0"
    echo "$((used / 1000)) ms of CPU time in $((then / 1000)) ms, throttled $throttled times"
}

process_limit() {
    local id
    id=$(command_job 'for n in $(seq 40); do sleep 60 & done' 'sandbox.max-processes = 16' | submit ada)
    mlctl wait "$id" || true
    has "$(mlctl logs "$id" --stream stderr)" 'annot fork'
    mlctl logs "$id" --stream stderr
}

hidden() {
    local said place
    for place in /sys/class/powercap/intel-rapl:0/energy_uj /var/lib/mld/ledger.db /run/mld/mld.sock \
        /run/credentials/mld.service/carbon-token /sys/fs/cgroup/system.slice /dev/cpu/0/msr; do
        said=$(run_as ada "ls -d $place 2>&1 || echo hidden" 2>/dev/null)
        has "$said" hidden
    done
}

other_homes() {
    echo secret >/home/bob/open
    chmod 755 /home/bob
    chmod 644 /home/bob/open
    as ada test -r /home/bob/open
    has "$(run_as ada 'cat /home/bob/open 2>&1 || echo closed' 2>/dev/null)" closed
}

no_network() { same "$(run_as ada 'tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d " "' 2>/dev/null)" lo; }

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

# Steadiness: mld stops, dies, hangs and is restarted, and no job notices

steadiness() {
    say "== steadiness"
    check "a client starts the stopped service through the socket" socket_activation
    check "jobs outlive kill -9 of mld, are adopted, and end once" crash_adoption
    check "jobs outlive kill -9 of what starts them, and new ones start" spawner_crash
    check "a daemon that hangs is ended by the watchdog; its job goes on" watchdog
    check "a restart under load loses, doubles and refuses nothing" restart_under_load
    if [ "$(nproc)" -ge 22 ]; then
        check "a restart with 20 that run and 1,000 that wait loses and doubles nothing" restart_under_queue
    else
        skip "a restart with 20 that run and 1,000 that wait" "they need 22 CPUs, and this system has $(nproc)"
    fi
    check "mld idle, resident" resident
}

socket_activation() {
    systemctl stop mld.service
    refused systemctl is-active -q mld.service
    systemctl is-active -q mld.socket
    as ada mlctl list >/dev/null
    systemctl is-active mld.service
}

# ended_once ID: with success, in one attempt, and one row of the end.
ended_once() {
    same "$(field "$1" state)" succeeded
    same "$(field "$1" attempt)" 1
    same "$(mlctl show "$1" --format json | grep -c '"to" : "succeeded"\|"state" : "succeeded"')" "${2:-2}"
}

crash_adoption() {
    local first second pid
    first=$(lasting ada)
    second=$(lasting bob)
    within 120 in_state "$first" running
    within 120 in_state "$second" running
    pid=$(main_pid)
    kill -9 "$pid"
    within 180 serves
    number "$(main_pid) != $pid"
    in_state "$first" running
    in_state "$second" running
    let_end ada "$first"
    let_end bob "$second"
    mlctl wait "$first" "$second"
    ended_once "$first"
    ended_once "$second"
    same "$(mlctl logs "$second")" over
    journalctl --sync
    journalctl -q -u mld -o cat | grep -c '^adopted'
}

spawner_crash() {
    local id
    id=$(lasting ada)
    within 120 in_state "$id" running
    systemctl kill -s KILL --kill-who=main mld-spawn.service
    run_as bob 'echo started'
    in_state "$id" running
    let_end ada "$id"
    mlctl wait "$id"
    ended_once "$id"
}

watchdog() {
    local id pid
    id=$(lasting ada)
    within 120 in_state "$id" running
    pid=$(main_pid)
    kill -STOP "$pid"
    # As long as the unit says, and what systemd takes to notice.
    within 240 sh -c '[ "$(systemctl show -P MainPID mld.service)" -ne '"$pid"' ] && systemctl is-active -q mld.service'
    within 180 serves
    in_state "$id" running
    let_end ada "$id"
    mlctl wait "$id"
    ended_once "$id"
    journalctl --sync
    journalctl -q _PID=1 UNIT=mld.service -o cat | grep -o 'Watchdog timeout.*' | tail -1
}

restart_under_load() {
    local array followed lines n numbers senders=()
    # One who runs a job, one who follows it and one who waits for it: none of them may notice more than a pause.
    status_of /run/followed run_as ada \
        'for n in $(seq 2000); do [ ! -e "end.$MLD_JOB_ID" ] || exit 5; echo "$n $MLD_JOB_ID"; sleep 0.3; done' &
    within 120 grep -q '^1 ' /run/followed
    followed=$(sed -n '1s/^1 //p' /run/followed)
    status_of /run/logged mlctl logs --follow "$followed" &
    status_of /run/waited mlctl wait "$followed" &
    array=$(command_job 'sleep 1' 'array = "1-60%2"' | submit ada)
    within 60 sh -c "mlctl list --state running --format json | grep -q running"
    # Twelve submitters, some of whom come while there is no daemon.
    for n in $(seq 12); do
        command_job true | submit bob >"/run/sent.$n" 2>"/run/sent.$n.error" &
        senders+=($!)
        if [ "$n" -eq 4 ]; then
            systemctl restart mld.service &
            senders+=($!)
        fi
    done
    wait "${senders[@]}"
    let_end ada "$followed"
    wait
    same "$(field "$followed" state)" failed
    lines=$(mlctl logs "$followed")
    same "$(cat /run/followed)" "$lines"
    same "$(cat /run/logged)" "$lines"
    same "$(cut -d' ' -f1 <<<"$lines")" "$(seq "$(wc -l <<<"$lines")")"
    same "$(cat /run/followed.status /run/logged.status /run/waited.status | xargs)" "5 0 5"
    numbers=$(cat /run/sent.? /run/sent.?? | sort -n | uniq)
    refused grep -h '^mlctl:' /run/sent.*.error
    same "$(wc -l <<<"$numbers")" 12
    mlctl wait $numbers
    mlctl wait "$array"
    # Of all of them each ended well, in one attempt.
    mlctl list --limit 500 --format json | python3 -c '
import json, sys
array, *others = sys.argv[1:]
jobs = json.load(sys.stdin)["jobs"]
mine = [job for job in jobs if str(job["id"]) in others or str(job.get("array", {}).get("id")) == array]
assert len(mine) == 72, len(mine)
assert all(job["state"] == "succeeded" and job["attempt"] == 1 for job in mine), mine' "$array" $numbers
    echo "60 of an array, 12 submitted meanwhile, and $(wc -l <<<"$lines") lines followed twice"
}

# jobs_of ARRAY STATE is a line for each of its jobs in that state, by number: which it is, and which attempt.
jobs_of() {
    mlctl list --state "$2" --limit 2000 --format json | python3 -c '
import json, sys
for job in sorted(json.load(sys.stdin)["jobs"], key=lambda job: job["id"]):
    if str(job.get("array", {}).get("id")) == sys.argv[1]: print(job["id"], job["attempt"])' "$1"
}

are_in() { [ "$(jobs_of "$1" "$2" | wc -l)" -eq "$3" ]; }

restart_under_queue() {
    local running waiting before after
    running=$(command_job 'sleep 200; echo over' 'array = "1-20"' 'resources.memory = "32 MiB"' | submit ada)
    within 120 are_in "$running" running 20
    # None fits beside those.
    waiting=$(command_job true 'array = "1-1000"' 'resources.memory = "32 MiB"' 'resources.cpus = 20' | submit bob)
    before=$(jobs_of "$running" running; jobs_of "$waiting" queued)
    same "$(wc -l <<<"$before")" 1020
    systemctl restart mld.service
    within 180 serves
    after=$(jobs_of "$running" running; jobs_of "$waiting" queued)
    same "$after" "$before"
    mlctl cancel "$waiting"
    within 240 are_in "$waiting" cancelled 1000
    mlctl wait "$running"
    same "$(jobs_of "$running" succeeded | cut -d' ' -f2 | sort | uniq -c | xargs)" "20 1"
    same "$(jobs_of "$waiting" cancelled | cut -d' ' -f2 | sort | uniq -c | xargs)" "1000 0"
    echo "20 adopted, each ended once; 1,000 waited in their order, and none had begun"
}

resident() {
    local status rss
    within 120 nothing_runs
    systemctl restart mld.service
    within 180 serves
    sleep 30
    # Once, and all figures from it: a moment later they are others.
    status=$(cat "/proc/$(main_pid)/status")
    rss=$(awk '/^VmRSS:/ { print $2 }' <<<"$status")
    awk '/^(RssAnon|RssFile):/ { printf "%s %s kB, ", $1, $2 } END { print "'"$rss"' kB in all" }' <<<"$status"
    number "$rss <= 40 * 1024"
}

nothing_runs() { ! mlctl list --state running --state queued --format json | grep -q '"id"'; }

# A reboot

before_reboot() {
    check "jobs run and wait as the machine goes down" jobs_before_reboot
}

jobs_before_reboot() {
    local lost again held
    lost=$(command_job 'sleep 3000' 'name = "lost"' | submit ada)
    again=$(command_job 'sleep 120' 'name = "again"' 'schedule.interruptible = true' | submit ada)
    held=$(command_job 'true' 'name = "held"' "resources.cpus = $(nproc)" | submit ada)
    as ada mlctl hold "$held"
    within 120 in_state "$lost" running
    within 120 in_state "$again" running
    echo "lost=$lost again=$again held=$held" >/var/lib/acceptance-jobs
    sync
    cat /var/lib/acceptance-jobs
}

after_reboot() {
    . /var/lib/acceptance-jobs
    check "mld runs after a reboot without anybody asking" within 180 serves
    check "a job that ran is lost, and says so" in_state "$lost" lost
    check "an interruptible one runs again" runs_again
    check "one that waited still waits, and runs" waits_still
    check "the time without the machine is a gap, and the ledger stands its audit" audit
}

runs_again() {
    mlctl wait "$again"
    same "$(field "$again" state) $(field "$again" attempt)" "succeeded 2"
}

waits_still() {
    in_state "$held" queued
    as ada mlctl release "$held"
    mlctl wait "$held"
}

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
