# Restarts: an admin restarts mld while it has much to do

restarts() {
    check "a restart under load loses, doubles and refuses nothing" restart_under_load
    if [ "$(nproc)" -ge 22 ]; then
        check "a restart with 20 that run and 1,000 that wait loses and doubles nothing" restart_under_queue
    else
        skip "a restart with 20 that run and 1,000 that wait" "they need 22 CPUs, and this system has $(nproc)"
    fi
}

# Followers, an array and submitters, all of whom are there before the restart, during it and after it.
restart_under_load() {
    local array followed n numbers began ended pid during submitters=()
    rm -f /run/restarted
    # Whatever happens, the submitters come to an end.
    trap 'touch /run/restarted' EXIT
    # One who runs a job, one who follows it and one who waits for it: none of them may notice more than a pause.
    status_of /run/followed run_as ada \
        'for n in $(seq 2000); do [ ! -e "end.$MLD_JOB_ID" ] || exit 5; echo "$n $MLD_JOB_ID"; sleep 0.3; done' >/dev/null 2>&1 &
    within 120 grep -q '^1 ' /run/followed
    followed=$(sed -n '1s/^1 //p' /run/followed)
    status_of /run/logged mlctl logs --follow "$followed" >/dev/null 2>&1 &
    status_of /run/waited mlctl wait "$followed" >/dev/null 2>&1 &
    array=$(command_job 'sleep 1' 'array = "1-60%2"' | submit ada)
    within 120 sh -c "mlctl list --state running --format json | grep -q running"
    for n in $(seq 4); do
        submit_on >"/run/sent.$n" 2>"/run/sent.$n.error" &
        submitters+=($!)
    done
    for n in $(seq 4); do within 120 test -s "/run/sent.$n"; done
    pid=$(main_pid)
    began=$(date +%s%6N)
    systemctl restart mld.service
    ended=$(date +%s%6N)
    touch /run/restarted
    for n in "${submitters[@]}"; do wait "$n"; done
    number "$(main_pid) != $pid"
    let_end ada "$followed"
    wait
    followers_noticed_nothing "$followed"
    # Each got a number of its own, and some were under way while mld was being restarted.
    during=$(cat /run/sent.? | awk -v began="$began" -v ended="$ended" '$1 < ended && $3 > began' | wc -l)
    number "$during >= 1"
    numbers=$(cat /run/sent.? | cut -d' ' -f2 | sort -n)
    same "$(sort -nu <<<"$numbers")" "$numbers"
    # That it waits for the daemon it may say.
    same "$(cat /run/sent.?.error | grep '^mlctl:' | grep -v '^mlctl: no answer yet' || true)" ""
    mlctl wait $numbers "$array"
    each_ended_once "id IN ($(paste -sd, <<<"$numbers")) OR array_id = $array" $((60 + $(wc -l <<<"$numbers")))
    echo "60 of an array, $(wc -l <<<"$numbers") submitted, $during of them under way in the $(((ended - began) / 1000)) ms of the restart," \
        "$(wc -l </run/followed) lines followed twice"
}

# submit_on submits one job after the other until the restart is over, and one more, and says of each when it began, its number, and when
# that was told.
submit_on() {
    local at id last=
    until [ -n "$last" ]; do
        [ ! -e /run/restarted ] || last=yes
        at=$(date +%s%6N)
        id=$(command_job true | submit bob)
        echo "$at $id $(date +%s%6N)"
        sleep 0.2
    done
}

# All three of the job: none lost or doubled a line, each ended by itself and told how the job did.
followers_noticed_nothing() {
    local lines
    same "$(field "$1" state)" failed
    lines=$(mlctl logs "$1")
    same "$(cat /run/followed)" "$lines"
    same "$(cat /run/logged)" "$lines"
    same "$(cut -d' ' -f1 <<<"$lines")" "$(seq "$(wc -l <<<"$lines")")"
    same "$(cat /run/followed.status /run/logged.status /run/waited.status | xargs)" "5 0 5"
}

# each_ended_once CONDITION COUNT: so many jobs there are, and each of them ended well, in one attempt.
each_ended_once() {
    same "$(ledger "SELECT COUNT(*), SUM(state = 'succeeded'), SUM(attempt = 1) FROM jobs WHERE $1")" "$2 $2 $2"
    same "$(ledger "SELECT COUNT(*), COUNT(DISTINCT job_id) FROM transitions
        WHERE to_state = 'succeeded' AND job_id IN (SELECT id FROM jobs WHERE $1)")" "$2 $2"
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
    local running waiting before after pid
    # They look seldom, for twenty of them cost a slow machine much.
    running=$(command_job "$(until_file end.queue 15)" 'array = "1-20"' 'resources.memory = "32 MiB"' 'resources.time = "40 min"' \
        | submit ada)
    within 240 are_in "$running" running 20
    # None fits beside those.
    waiting=$(command_job true 'array = "1-1000"' 'resources.memory = "32 MiB"' 'resources.cpus = 20' | submit bob)
    before=$(jobs_of "$running" running; jobs_of "$waiting" queued)
    same "$(wc -l <<<"$before")" 1020
    pid=$(main_pid)
    systemctl restart mld.service
    within 180 serves
    number "$(main_pid) != $pid"
    after=$(jobs_of "$running" running; jobs_of "$waiting" queued)
    same "$after" "$before"
    mlctl cancel "$waiting"
    within 240 are_in "$waiting" cancelled 1000
    let_end ada queue
    mlctl wait "$running"
    each_ended_once "array_id = $running" 20
    same "$(ledger "SELECT COUNT(*), SUM(state = 'cancelled'), SUM(attempt) FROM jobs WHERE array_id = $waiting")" "1000 1000 0"
    same "$(ledger "SELECT COUNT(*) FROM attempts WHERE job_id IN (SELECT id FROM jobs WHERE array_id = $waiting)")" 0
    echo "20 adopted, each ended once; 1,000 waited in their order, and none had begun"
}
