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
