import JobAPI
import LinuxSystem
import Policy
import Sandbox
import Units

extension JobController {
    /// What a job's sandbox is: what it asks for, within what the policy grants now. The policy may have been changed since
    /// the job was admitted; what it grants no more is left out, and a path it grants no more ends the start.
    func profile(of job: LiveJob, in directory: JobDirectory) -> Sandbox.SandboxProfile {
        let rules = sandboxRules(ofQueue: job.queue)
        let request = job.spec.sandbox
        let gpus = grantedGPUs(job.id)
        let fileSizes = [request.maxFileSize, rules.maxFileSize.value].compactMap(\.self)
        return Sandbox.SandboxProfile(
            workdir: request.workdir ?? directory.output, network: request.network && rules.network.value,
            readOnly: request.readOnly + (job.spec.train?.dataPaths ?? []).map(\.path), readWrite: request.readWrite,
            // The libraries mltrain needs the launcher shows to every job.
            programs: (job.spec.train == nil ? [] : [directory.spec, settings.programs])
                + GPUGrant.readable(gpus),
            devices: GPUGrant.devices(gpus)
                + GPUGrant.withoutOthers(request.devices.filter { rules.allows(device: $0) }, of: layout),
            memoryLimit: job.spec.resources.memory.bytes, cpus: job.spec.resources.cpus,
            cpuSet: placements[job.id]?.cpus ?? [],
            maxProcesses: min(request.maxProcesses ?? .max, rules.maxProcesses.value),
            maxFileSize: fileSizes.min()?.bytes,
            maxOpenFiles: min(request.maxOpenFiles ?? .max, rules.maxOpenFiles.value),
            maxCoreSize: min(request.maxCoreSize ?? rules.maxCoreSize.value, rules.maxCoreSize.value).bytes,
            refusedCalls: rules.refuseSyscalls.value, allowedCalls: rules.allowSyscalls.value,
            landlock: rules.landlock.value == .on, readOnlyUnder: rules.readOnly.value,
            readWriteUnder: rules.readWrite.value, home: User.lookup(uid: job.uid, gid: job.gid).home,
            given: rules.bind.value, hidden: hiddenPaths, outputDirectory: directory.output,
            requirement: rules.require.value == .full ? .full : .bestEffort)
    }

    /// What no job sees, whoever submitted it: behind the spawner's socket a job of root's would be root outside of its sandbox.
    var hiddenPaths: [String] {
        var paths = [state.path, settings.socket]
        if case .service(let socket) = settings.spawner { paths.append(socket) }
        return paths
    }

    /// What the policy says of the sandbox of a queue's jobs; what is built in, of one that is not there any more.
    func sandboxRules(ofQueue queue: String) -> Policy.SandboxProfile {
        policy.queue(queue).flatMap { policy.sandbox($0.sandbox.value) } ?? PolicySet.builtIn.sandboxes[0]
    }
}
