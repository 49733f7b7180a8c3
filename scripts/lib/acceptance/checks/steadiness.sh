# Steadiness: mld stops, dies and hangs, and no job notices. What is killed here is counted, for nothing else may end by itself.

kills=/run/acceptance-kills

steadiness() {
    say "== steadiness"
    check "a client starts the stopped service through the socket" socket_activation
    check "jobs outlive kill -9 of mld, are adopted, and end once" crash_adoption
    check "jobs outlive kill -9 of what starts them, and new ones start" spawner_crash
    check "a daemon that hangs is ended by the watchdog; its job goes on" watchdog
    restarts
    check "mld idle, resident" resident
    check "what the meter is booked with is what the counter showed, for all that" meter_is_right
    check "systemd restarted what was killed, and nothing else" only_kills_restarted
}

# killed UNIT SIGNAL sends the signal to its main process; systemd shall start it again.
killed() {
    echo "$1" >>"$kills"
    systemctl kill -s "$2" --kill-who=main "$1"
}

# By the message of systemd that a restart is scheduled, which it does for a unit that ended otherwise than by being stopped.
only_kills_restarted() {
    local unit made wanted all=
    journalctl --sync
    for unit in mld.service mld-spawn.service mld-jobs.service; do
        made=$(journalctl -q -b -o cat UNIT="$unit" MESSAGE_ID=5eb03494b6584870a536b337290809b3 | wc -l)
        wanted=$(grep -cx "$unit" "$kills" 2>/dev/null || true)
        number "$made == ${wanted:-0}"
        all+=", $unit $made"
    done
    echo "${all#, }"
}

socket_activation() {
    systemctl stop mld.service
    refused systemctl is-active -q mld.service
    systemctl is-active -q mld.socket
    as ada mlctl list >/dev/null
    systemctl is-active mld.service
}

crash_adoption() {
    local first second pid mark
    first=$(lasting ada)
    second=$(lasting bob)
    within 120 in_state "$first" running
    within 120 in_state "$second" running
    pid=$(main_pid)
    mark=$(journal_mark)
    killed mld.service KILL
    within 180 is_another mld.service "$pid"
    within 180 serves
    in_state "$first" running
    in_state "$second" running
    let_end ada "$first"
    let_end bob "$second"
    mlctl wait "$first" "$second"
    ended_once "$first"
    ended_once "$second"
    same "$(mlctl logs "$second")" over
    within 60 journal_tells "$mark" adopted -u mld
    same "$(journal_since "$mark" -u mld | grep -c '^adopted')" 2
    echo "2 adopted"
}

# is_another UNIT PID: its main process is not that one, and runs.
is_another() { [ "$(main_pid "$1")" -ne "$2" ] && systemctl is-active -q "$1"; }

spawner_crash() {
    local id pid
    id=$(lasting ada)
    within 120 in_state "$id" running
    pid=$(main_pid mld-spawn.service)
    killed mld-spawn.service KILL
    same "$(run_as bob 'echo started' 2>/dev/null)" started
    within 180 is_another mld-spawn.service "$pid"
    in_state "$id" running
    let_end ada "$id"
    mlctl wait "$id"
    ended_once "$id"
}

watchdog() {
    local id pid mark
    id=$(lasting ada)
    within 120 in_state "$id" running
    pid=$(main_pid)
    mark=$(journal_mark)
    killed mld.service STOP
    # As long as the unit says, and what systemd takes to notice.
    within 240 is_another mld.service "$pid"
    within 180 serves
    in_state "$id" running
    let_end ada "$id"
    mlctl wait "$id"
    ended_once "$id"
    journal_since "$mark" _PID=1 UNIT=mld.service | grep -o 'Watchdog timeout.*'
}

resident() {
    local status rss
    within 120 nothing_runs
    restart_mld
    sleep 30
    # Once, and all figures from it: a moment later they are others.
    status=$(cat "/proc/$(main_pid)/status")
    rss=$(awk '/^VmRSS:/ { print $2 }' <<<"$status")
    awk '/^(RssAnon|RssFile|RssShmem):/ { printf "%s %s kB, ", $1, $2 } END { print "'"$rss"' kB in all" }' <<<"$status"
    number "$rss <= 40 * 1024"
}

nothing_runs() { ! mlctl list --state running --state queued --format json | grep -q '"id"'; }
