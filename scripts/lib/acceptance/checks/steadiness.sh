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
