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
