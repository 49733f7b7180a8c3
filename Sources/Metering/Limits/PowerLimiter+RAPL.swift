import Glibc
import LinuxSystem

// The long-term limit of each package, `constraint_0` of the kernel's powercap tree (Documentation/power/powercap).
extension PowerLimiter {
    static func rapl(_ roots: SystemRoots) -> ([PowerLimiter], [PowerLimitError]) {
        let base = roots.sysfs + "/class/powercap"
        var limiters: [PowerLimiter] = []
        var problems: [PowerLimitError] = []
        for name in (try? SystemFile.names(in: base)) ?? [] where isPackage(name) {
            let path = base + "/" + name
            guard let domain = try? SystemFile.word(path + "/name"), domain.hasPrefix("package") else { continue }
            do throws(PowerLimitError) {
                limiters.append(try limiter(of: path, name: name, domain: domain))
            } catch {
                problems.append(error)
            }
        }
        return (limiters, problems)
    }

    /// `intel-rapl:0`; neither its parts nor its copies, which limit the same package.
    private static func isPackage(_ name: String) -> Bool {
        let parts = name.split(separator: ":", omittingEmptySubsequences: false)
        return parts.count == 2 && parts[0] == "intel-rapl" && Int(parts[1]) != nil
    }

    private static func limiter(
        of path: String, name: String, domain: String
    ) throws(PowerLimitError) -> PowerLimiter {
        let file = path + "/constraint_0_power_limit_uw"
        _ = try watts(file, domain)
        if (try? SystemFile.integer(path + "/enabled")) == 0 {
            throw PowerLimitError(domain: domain, message: "its power limit is switched off")
        }
        guard access(file, W_OK) == 0 else {
            let error = LinuxError("access", path: file)
            throw PowerLimitError(domain: domain, message: "its power limit cannot be set: \(error)")
        }
        return PowerLimiter(
            domain: domain, kind: .cpu, key: "powercap/" + name, range: nil,
            read: { () throws(PowerLimitError) in try watts(file, domain) },
            write: { (watts) throws(PowerLimitError) in
                do throws(LinuxError) {
                    let limit = try Descriptor.open(file, O_WRONLY | O_TRUNC | O_NOFOLLOW)
                    try limit.write(Array("\(UInt64((min(watts, 1e7) * 1e6).rounded()))".utf8))
                } catch {
                    throw PowerLimitError(domain: domain, message: "its power limit cannot be set: \(error)")
                }
            })
    }

    private static func watts(_ file: String, _ domain: String) throws(PowerLimitError) -> Double {
        do throws(SystemFileError) {
            let microwatts = try SystemFile.integer(file)
            // A tree may say anything; no package takes 10 kW.
            guard microwatts > 0, microwatts <= 10_000_000_000 else {
                throw SystemFileError(.garbage, path: file, message: "\(microwatts) uW is no limit")
            }
            return Double(microwatts) / 1e6
        } catch {
            throw PowerLimitError(domain: domain, message: "its power limit cannot be read: \(error)")
        }
    }
}
