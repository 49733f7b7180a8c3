"""All faults by their names; `Benchmarks/README.md` says what each does."""

from lib import fault_clients as clients
from lib import fault_machine as machine
from lib import fault_processes as processes

FAULTS = {
    "kill-mld": processes.kill_mld, "kill-mld-often": processes.kill_mld_often,
    "restart-mld": processes.stop_and_start_mld, "kill-supervisor": processes.kill_part("supervisor"),
    "kill-bwrap": processes.kill_part("bwrap"), "kill-inner": processes.kill_part("inner"),
    "kill-command": processes.kill_part("command"), "kill-mltrain": processes.kill_mltrain,
    "kill-supervisor-and-mld": processes.kill_supervisor_and_mld, "kill-unnoted": processes.kill_unnoted,
    "stop-mld": processes.stop_mld, "stop-supervisor": processes.stop_supervisor,
    "second-daemon": processes.second_daemon,
    "full-disk": machine.full_disk, "read-only": machine.read_only, "locked": machine.locked,
    "no-cgroups": machine.no_cgroups, "no-descriptors": machine.no_descriptors, "clock": machine.clock_jumps,
    "slow": clients.slow_clients, "half-closed": clients.half_closed_clients,
    "malformed": clients.malformed_requests, "flood": clients.flood, "cancel": clients.cancel_some,
    "cancel-and-kill": clients.cancel_and_kill_mld, "hold": clients.hold_and_release,
}
