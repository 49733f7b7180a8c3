import ConfigFile
import Glibc
import Testing

@testable import Training

/// A directory with a tiny data set and job files, gone when the test ends.
final class Workshop {
    let path: String

    init() throws {
        var name = Array("/tmp/mld-training-XXXXXX".utf8CString)
        path = try name.withUnsafeMutableBufferPointer { buffer in
            try #require(buffer.baseAddress.flatMap { mkdtemp($0) }.map { String(cString: $0) })
        }
    }

    deinit { Workshop.remove(path) }

    /// Removes a tree of plain files and directories.
    static func remove(_ path: String) {
        for name in names(in: path) where unlink(path + "/" + name) != 0 { remove(path + "/" + name) }
        rmdir(path)
    }

    static func names(in path: String) -> [String] {
        guard let directory = opendir(path) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    @discardableResult
    func write(_ name: String, _ bytes: [UInt8]) throws -> String {
        let file = path + "/" + name
        let descriptor = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        try #require(descriptor >= 0)
        defer { close(descriptor) }
        try #require(writeAll(descriptor, bytes) == nil)
        return file
    }

    @discardableResult
    func write(_ name: String, _ text: String) throws -> String { try write(name, Array(text.utf8)) }

    static func read(_ path: String) throws -> [UInt8] {
        let descriptor = open(path, O_RDONLY)
        try #require(descriptor >= 0, "\(path)")
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = Glibc.read(descriptor, &block, block.count)
            if count <= 0 { return bytes }
            bytes += block[..<count]
        }
    }

    /// Pictures of 3x4 pixels with one bright row, which is the class; some noise from a simple recurrence.
    func makeData(train: Int = 90, test: Int = 30) throws {
        func idx(_ dimensions: [Int], _ bytes: [UInt8]) -> [UInt8] {
            [0, 0, 8, UInt8(dimensions.count)]
                + dimensions.flatMap { d in (0..<4).map { UInt8(truncatingIfNeeded: d >> (24 - 8 * $0)) } } + bytes
        }
        var state: UInt32 = 17
        for (prefix, count) in [("train", train), ("t10k", test)] where count > 0 {
            let labels = (0..<count).map { UInt8($0 % 3) }
            let pixels = labels.flatMap { label in
                (0..<12).map { pixel -> UInt8 in
                    state = state &* 1_664_525 &+ 1_013_904_223
                    return UInt8(state >> 26) + (pixel / 4 == label ? 150 : 0)
                }
            }
            try write("\(prefix)-images-idx3-ubyte", idx([count, 3, 4], pixels))
            try write("\(prefix)-labels-idx1-ubyte", idx([count], labels))
        }
    }

    /// A job on that data.
    func job(epochs: Int = 6, units: Int = 3, extra: String = "", memory: String = "1 GiB") -> String {
        """
        name = "rows"
        [resources]
        cpus = 2
        memory = "\(memory)"
        [train]
        task = "classification"
        epochs = \(epochs)
        batch-size = 8
        optimizer = { name = "adam", learning-rate = 0.02 }
        loss = "sparse-categorical-crossentropy"
        metrics = ["accuracy"]
        seed = 3
        \(extra)
        [data]
        reader = "idx"
        path = "\(path)"
        normalize = "standardize"
        validation-split = 0.2
        [[model.layer]]
        type = "flatten"
        [[model.layer]]
        type = "dense"
        units = 16
        activation = "relu"
        [[model.layer]]
        name = "out"
        type = "dense"
        units = \(units)
        activation = "softmax"
        """
    }
}

/// The built `mltrain`, which lies beside the test bundle.
struct Program {
    var status: Int32
    var output: String
    var errors: String
    var events: String

    /// Starts it; `wait` ends it.
    final class Running {
        let pid: pid_t
        let directory: String
        init(_ pid: pid_t, _ directory: String) {
            self.pid = pid
            self.directory = directory
        }

        func text(_ name: String) -> String {
            String(decoding: (try? Workshop.read(directory + "/" + name)) ?? [], as: UTF8.self)
        }

        /// Returns when it has printed this, or failed, or ended.
        func prints(_ words: String) {
            while !text("out.txt").contains(words), kill(pid, 0) == 0, text("err.txt").isEmpty { usleep(500) }
        }

        func wait() -> Program {
            var status: Int32 = 0
            while waitpid(pid, &status, 0) < 0, errno == EINTR {}
            let code = status & 0x7f == 0 ? status >> 8 & 0xff : 1000 + (status & 0x7f)
            return Program(status: code, output: text("out.txt"), errors: text("err.txt"), events: text("events.txt"))
        }
    }

    /// - Parameter eventsFD: whether events get a descriptor of their own.
    static func start(
        _ arguments: [String], in workshop: Workshop, eventsFD: Bool = true, environment extra: [String] = []
    ) throws -> Running {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
        try #require(readlink("/proc/self/exe", &buffer, Int(PATH_MAX)) > 0)
        let own = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let program = own.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 } + "/mltrain"

        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (descriptor, name) in [(Int32(1), "out.txt"), (2, "err.txt"), (7, "events.txt")] {
            posix_spawn_file_actions_addopen(
                &actions, descriptor, workshop.path + "/" + name, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        }
        let variables =
            ["PATH=/usr/bin:/bin", "HOME=\(workshop.path)"] + (eventsFD ? ["MLD_EVENTS_FD=7"] : []) + extra
            + (environment("LD_LIBRARY_PATH").map { ["LD_LIBRARY_PATH=\($0)"] } ?? [])
        var argv: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) } + [nil]
        var envp: [UnsafeMutablePointer<CChar>?] = variables.map { strdup($0) } + [nil]
        defer { for pointer in argv + envp { free(pointer) } }
        var pid = pid_t()
        try #require(posix_spawn(&pid, program, &actions, nil, &argv, &envp) == 0, "\(program)")
        return Running(pid, workshop.path)
    }

    static func run(
        _ arguments: [String], in workshop: Workshop, eventsFD: Bool = true, environment: [String] = []
    ) throws -> Program {
        try start(arguments, in: workshop, eventsFD: eventsFD, environment: environment).wait()
    }
}

/// The problems that `body` finds.
func problems(_ body: () throws(ConfigProblems) -> Void) -> [String] {
    do {
        try body()
        return []
    } catch { return error.problems.map(\.description) }
}
