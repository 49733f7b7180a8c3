import JobAPI
import Metering
import Scheduling
import Units

extension CardOccupancy {
    /// Who is on a card beside what jobs declared of it. A process that is not there any more holds nothing, and one of which the driver does
    /// not say how much it holds is seen all the same.
    init?(_ sample: DomainSample, among jobs: some Collection<EnergyMeter.Tracked>, _ owners: ProcessOwners) {
        guard let processes = sample.processes else { return nil }
        var foreign = ByteSize.zero
        var isForeign = false
        var held: [Int64: Int64] = [:]
        for process in processes {
            let bytes = min(max(0, process.memoryBytes ?? 0), 1 << 44)
            switch owners.account(of: process.pid, among: jobs) {
            case .job(let number)?: held[number, default: 0] += bytes
            case nil: break
            default:
                isForeign = true
                foreign += ByteSize(bytes: bytes)
            }
        }
        let beyond = jobs.reduce(0 as Int64) { sum, job in
            guard let declared = job.gpus.declared, let own = held[job.id.number] else { return sum }
            return sum + max(0, own - declared)
        }
        self.init(foreign: foreign, beyond: ByteSize(bytes: beyond), isForeign: isForeign)
    }
}
