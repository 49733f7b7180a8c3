# What the checks are made of. Each file beside this one and jobs.sh is a chapter: functions that run as root inside the system, with
# the packages in $here/first and a later version of them in $here/next.

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
        [ "$SECONDS" -lt "$end" ] || { echo "not in time: $*"; return 1; }
        sleep 0.5
    done
}

# same A B fails, saying so, where the two differ.
same() { [ "$1" = "$2" ] || { echo "\"$1\" is not \"$2\""; return 1; }; }
has() { [[ $1 == *"$2"* ]] || { echo "there is no \"$2\" in: $1"; return 1; }; }
# number EXPRESSION is of Python's, and must be true.
number() { python3 -c "import sys; sys.exit(not ($1))" || { echo "not so: $1"; return 1; }; }

# refused COMMAND... succeeds where the command fails.
refused() { if "$@"; then echo "it was not refused: $*"; return 1; fi; }

# refused_saying WORDS COMMAND... succeeds where the command ends with status 1, as what was understood and is not granted, and says
# those words. Wrong use is status 2, a daemon that cannot be reached 3.
refused_saying() {
    local words=$1 said status=0
    shift
    said=$("$@" 2>&1) || status=$?
    same "$status" 1 && has "$said" "$words"
}

# status_of FILE COMMAND... leaves what the command prints, its errors and its status in FILE, FILE.error and FILE.status.
status_of() {
    local file=$1 status=0
    shift
    "$@" >"$file" 2>"$file.error" || status=$?
    echo "$status" >"$file.status"
}

# as USER COMMAND... runs it as a login of the user would.
as() {
    local user=$1
    shift
    runuser -l "$user" -c "$(printf '%q ' "$@")"
}

# journal_mark is a place in the journal; journal_since MARK ARGUMENT... is what was written after it.
journal_mark() {
    journalctl --sync
    journalctl -n 0 --show-cursor | sed -n 's/^-- cursor: //p'
}
journal_since() {
    local mark=$1
    shift
    journalctl --sync
    journalctl -q --after-cursor="$mark" -o cat "$@"
}
# journal_tells MARK TEXT ARGUMENT...
journal_tells() { journal_since "$1" "${@:3}" | grep -qF -- "$2"; }
