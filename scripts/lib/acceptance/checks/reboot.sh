# A reboot

before_reboot() {
    check "jobs run and wait as the machine goes down" jobs_before_reboot
}

jobs_before_reboot() {
    local lost again held noted_at time
    lost=$(command_job 'sleep 3000' 'name = "lost"' | submit ada)
    again=$(command_job 'sleep 120' 'name = "again"' 'schedule.interruptible = true' | submit ada)
    held=$(command_job 'true' 'name = "held"' "resources.cpus = $(nproc)" | submit ada)
    as ada mlctl hold "$held"
    within 120 in_state "$lost" running
    within 120 in_state "$again" running
    noted_at=$(date +%s%6N)
    read -r _ time <<<"$(metered)"
    echo "lost=$lost again=$again held=$held noted_at=$noted_at metered_us=$time" >/var/lib/acceptance-jobs
    sync
    cat /var/lib/acceptance-jobs
}

after_reboot() {
    lost= again= held= noted_at= metered_us=
    . /var/lib/acceptance-jobs
    check "mld runs after a reboot without anybody asking" within 180 serves
    check "a job that ran is lost, and says so" in_state "$lost" lost
    check "an interruptible one runs again" runs_again
    check "one that waited still waits, and runs" waits_still
    check "the time without the machine is metered for nobody" nothing_metered_between
    check "a counter that began anew is booked with what it showed" meter_is_right
    check "the ledger stands its audit after a reboot" audit
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

# Since the last look before the reboot at most the time until mld was stopped and that since the start of the system is metered.
nothing_metered_between() {
    local time up all
    read -r _ time <<<"$(metered)"
    up=$(awk '{ printf "%d", $1 * 1e6 }' /proc/uptime)
    all=$(($(date +%s%6N) - noted_at))
    number "$time - $metered_us <= $(cat /var/lib/acceptance-stopped) - $noted_at + $up"
    echo "$(((time - metered_us) / 1000)) of $((all / 1000)) ms"
}
