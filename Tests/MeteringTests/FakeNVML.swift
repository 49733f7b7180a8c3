import Foundation
import Testing

/// A library with the names, types and units of NVIDIA's public header, made by the system's C compiler, that says what a
/// file beside it says: lines of a GPU's number, a word and a number, such as `0 energy 1500` (mJ).
///
/// - `energy`, `power`: mJ and mW; without a line the call is not supported.
/// - `result`: what every call on the GPU returns (15: it is lost).
/// - `mig`: 1 where the card is divided.
final class FakeNVML {
    /// Nil, with a line that says so, where there is no C compiler.
    static let library: String? = {
        let directory = place
        do {
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            try Data(source.utf8).write(to: URL(filePath: directory + "/nvml.c"))
            let compiler = Process()
            compiler.executableURL = URL(filePath: "/usr/bin/cc")
            compiler.arguments = [
                "-shared", "-fPIC", "-Wall", "-Werror", "-o", directory + "/libnvidia-ml.so.1", directory + "/nvml.c",
                "-ldl",
            ]
            try compiler.run()
            compiler.waitUntilExit()
            atexit { try? FileManager.default.removeItem(atPath: FakeNVML.place) }
            if compiler.terminationStatus == 0 { return directory + "/libnvidia-ml.so.1" }
        } catch { print("skipped: no C compiler to make a stand-in for NVML: \(error)") }
        return nil
    }()

    private static var place: String {
        FileManager.default.temporaryDirectory.path(percentEncoded: false) + "/mld-fake-nvml-\(getpid())"
    }

    let path: String

    /// - Parameter directory: the test's own, into which the library is copied, so that each test has one to itself.
    init(in directory: String) throws {
        let library = try #require(FakeNVML.library)
        path = directory + "/libnvidia-ml.so.1"
        try FileManager.default.copyItem(atPath: library, toPath: path)
        try say("")
    }

    func say(_ lines: String...) throws {
        try Data((lines.joined(separator: "\n") + "\n").utf8).write(to: URL(filePath: path + ".txt"))
    }

    private static let source = #"""
        #define _GNU_SOURCE
        #include <dlfcn.h>
        #include <stdio.h>
        #include <string.h>

        static int ask(int gpu, const char *word, unsigned long long *value) {
            Dl_info info;
            char name[4096], what[32];
            int number, found = 0;
            unsigned long long v;
            if (!dladdr((void *)ask, &info)) return 0;
            snprintf(name, sizeof name, "%s.txt", info.dli_fname);
            FILE *file = fopen(name, "r");
            if (!file) return 0;
            while (fscanf(file, "%d %31s %llu", &number, what, &v) == 3)
                if (number == gpu && !strcmp(what, word)) { *value = v; found = 1; }
            fclose(file);
            return found;
        }
        static int result(int gpu) { unsigned long long v = 0; return ask(gpu, "result", &v) ? (int)v : 0; }

        /* A handle is the card's number, plus one. */
        static int gpu(void *handle) { return (int)(long)handle - 1; }

        int nvmlInit_v2(void) { return result(-1); }
        const char *nvmlErrorString(int r) { return r == 3 ? "Not Supported" : r == 15 ? "GPU is lost" : "Unknown Error"; }
        int nvmlDeviceGetCount_v2(unsigned *count) {
            unsigned long long v;
            *count = 0;
            while (ask((int)*count, "power", &v) || ask((int)*count, "energy", &v)) ++*count;
            return 0;
        }
        int nvmlDeviceGetHandleByIndex_v2(unsigned i, void **handle) { *handle = (void *)(long)(i + 1); return 0; }
        int nvmlDeviceGetUUID(void *h, char *text, unsigned size) {
            snprintf(text, size, "GPU-00000000-0000-0000-0000-%012d", gpu(h));
            return result(gpu(h));
        }
        int nvmlDeviceGetName(void *h, char *text, unsigned size) { snprintf(text, size, "Fake"); return result(gpu(h)); }
        int nvmlDeviceGetPowerUsage(void *h, unsigned *mW) {
            unsigned long long v = 0;
            if (!ask(gpu(h), "power", &v)) return 3;
            *mW = (unsigned)v;
            return result(gpu(h));
        }
        int nvmlDeviceGetTotalEnergyConsumption(void *h, unsigned long long *mJ) {
            return ask(gpu(h), "energy", mJ) ? result(gpu(h)) : 3;
        }
        int nvmlDeviceGetMigMode(void *h, unsigned *current, unsigned *pending) {
            unsigned long long v = 0;
            if (!ask(gpu(h), "mig", &v)) return 3;
            *current = *pending = (unsigned)v;
            return 0;
        }
        """#
}
