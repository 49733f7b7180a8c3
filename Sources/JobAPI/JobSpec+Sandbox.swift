package import Units

extension JobSpec {
    /// What the job asks of its sandbox. The policy may grant less, never more.
    package struct SandboxRequest: Codable, Hashable, Sendable {
        /// Absolute; bound read-write and made the working directory.
        package var workdir: String?
        package var network: Bool
        /// Absolute paths bound read-only; most of the system already is.
        package var readOnly: [String]
        /// Absolute paths bound read-write.
        package var readWrite: [String]
        /// Devices below `/dev`, besides the harmless ones every job has.
        package var devices: [String]
        /// Limits below those of the policy; nil leaves the policy's.
        package var maxProcesses: Int?
        package var maxFileSize: ByteSize?
        package var maxOpenFiles: Int?
        package var maxCoreSize: ByteSize?

        package init(
            workdir: String? = nil, network: Bool = false, readOnly: [String] = [], readWrite: [String] = [],
            devices: [String] = [], maxProcesses: Int? = nil, maxFileSize: ByteSize? = nil, maxOpenFiles: Int? = nil,
            maxCoreSize: ByteSize? = nil
        ) {
            self.workdir = workdir
            self.network = network
            self.readOnly = readOnly
            self.readWrite = readWrite
            self.devices = devices
            self.maxProcesses = maxProcesses
            self.maxFileSize = maxFileSize
            self.maxOpenFiles = maxOpenFiles
            self.maxCoreSize = maxCoreSize
        }

        private enum CodingKeys: String, CodingKey, CaseIterable {
            case workdir, network, readOnly, readWrite, devices, maxProcesses
            case maxFileSize = "maxFileSizeBytes"
            case maxOpenFiles
            case maxCoreSize = "maxCoreSizeBytes"
        }

        package init(from decoder: any Decoder) throws {
            try decoder.rejectUnknownKeys(CodingKeys.self)
            let container = try decoder.container(keyedBy: CodingKeys.self)
            workdir = try container.decodeIfPresent(String.self, forKey: .workdir)
            network = try container.decodeIfPresent(Bool.self, forKey: .network) ?? false
            readOnly = try container.decodeIfPresent([String].self, forKey: .readOnly) ?? []
            readWrite = try container.decodeIfPresent([String].self, forKey: .readWrite) ?? []
            devices = try container.decodeIfPresent([String].self, forKey: .devices) ?? []
            maxProcesses = try container.decodeIfPresent(Int.self, forKey: .maxProcesses)
            maxFileSize = try container.decodeIfPresent(ByteSize.self, forKey: .maxFileSize)
            maxOpenFiles = try container.decodeIfPresent(Int.self, forKey: .maxOpenFiles)
            maxCoreSize = try container.decodeIfPresent(ByteSize.self, forKey: .maxCoreSize)
        }
    }
}
