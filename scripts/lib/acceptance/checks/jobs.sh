# How the checks ask mld, and the jobs that they submit.

main_pid() { systemctl show -P MainPID "${1:-mld.service}"; }
serves() { systemctl is-active -q mld.service && mlctl list >/dev/null; }

restart_mld() {
    systemctl restart mld.service
    within 180 serves
}

# field JOB KEY is one value of a job.
field() {
    mlctl show "$1" --format json | python3 -c 'import json, sys; print(json.load(sys.stdin)["job"].get(sys.argv[1], ""))' "$2"
}
in_state() { [ "$(field "$1" state)" = "$2" ]; }
cgroup_of() { echo /sys/fs/cgroup/system.slice/mld*.service/jobs/*"-$1-1"; }

# ledger SQL prints the rows of a question to the ledger, as somebody may ask while mld runs.
ledger() {
    python3 -c '
import sqlite3, sys
for row in sqlite3.connect("file:/var/lib/mld/ledger.db?mode=ro", uri=True).execute(sys.argv[1]): print(*row)' "$1"
}

# submit USER ARGUMENT... submits the job file of standard input, and prints the job's number.
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

# until_file FILE [SECONDS] is shell text that goes on until the file is there, looking every so often.
until_file() { echo "until [ -e $1 ]; do sleep ${2:-1}; done; echo over"; }

# lasting USER submits a job that goes on until let_end USER JOB, or until its time is over where a check failed before that.
lasting() { command_job "$(until_file 'end.$MLD_JOB_ID')" 'resources.time = "20 min"' | submit "$1"; }
let_end() { touch "/home/$1/end.$2"; }

# run_as USER SHELL-TEXT runs a command as a job and follows it.
run_as() { as "$1" mlctl run --memory "64 MiB" -- sh -c "$2"; }

# ended_once ID: with success, in one attempt, and the ledger has one row of each.
ended_once() {
    same "$(field "$1" state) $(field "$1" attempt)" "succeeded 1"
    same "$(ledger "SELECT (SELECT COUNT(*) FROM attempts WHERE job_id = $1),
        (SELECT COUNT(*) FROM transitions WHERE job_id = $1 AND to_state = 'succeeded')")" "1 1"
}
