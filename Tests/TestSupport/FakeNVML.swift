import Foundation

/// A library with the names, types and units of NVIDIA's public header, made by the system's C compiler, that says what a
/// file beside it says: lines of a GPU's number, a word and a number, such as `0 energy 1500` (mJ).
///
/// - `energy`, `power`: mJ and mW; without a line the call is not supported.
/// - `result`: what every call on the GPU returns (15: it is lost); `meter-result`: what its counter and sensor return.
/// - `hang`: reading the power does not come back while the line is there; of GPU -1, starting the library does not.
/// - `mig`: 1 where the card is divided.
/// - `memory`: bytes, and `name`: words; without a line `Fake`.
/// - `minor`: the number of its device node, else its own; without a line `bus` it has no known place on the PCI bus.
/// - `limit`, `least`, `most`: the power limit and its bounds in mW; a limit that is set stands in a file beside it.
///   `limit-result`: what setting it returns.
/// - `compute`, `graphics`: a process id and its bytes; a line for each process on the card.
/// - `sample`: a process id, the time in µs since 1970 and the utilisation in percent.
/// - `list-result`, `sample-result`: what asking for either returns; `list-count`, `sample-count`: how many there are, in
///   place of the truth; `written`: how many it claims to have written; `words`: how many words of 8 bytes a listed process takes.
package final class FakeNVML {
    /// The directory of the compiled libraries. Nil, with a line that says so, where there is no C compiler.
    package static let library: String? = {
        let directory = place
        do {
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            atexit { try? FileManager.default.removeItem(atPath: FakeNVML.place) }
            try Data(source.utf8).write(to: URL(filePath: directory + "/nvml.c"))
            for (name, flags) in [("libnvidia-ml.so.1", []), ("old.so", ["-DOLD"])] {
                let compiler = Process()
                compiler.executableURL = URL(filePath: "/usr/bin/cc")
                compiler.arguments =
                    [
                        "-shared", "-fPIC", "-Wall", "-Werror", "-o", directory + "/" + name, directory + "/nvml.c",
                        "-ldl",
                    ]
                    + flags
                try compiler.run()
                compiler.waitUntilExit()
                if compiler.terminationStatus != 0 { return nil }
            }
            return directory
        } catch { print("skipped: no C compiler to make a stand-in for NVML: \(error)") }
        return nil
    }()

    private static var place: String {
        FileManager.default.temporaryDirectory.path(percentEncoded: false) + "/mld-fake-nvml-\(getpid())"
    }

    package let path: String

    /// - Parameters:
    ///   - directory: the test's own, into which the library is copied, so that each test has one to itself.
    ///   - isOld: of a driver that lists processes by the first layout and does not sample them.
    package init(in directory: String, isOld: Bool = false) throws {
        guard let place = FakeNVML.library else { throw CocoaError(.fileNoSuchFile) }
        let library = place + (isOld ? "/old.so" : "/libnvidia-ml.so.1")
        path = directory + "/libnvidia-ml.so.1"
        try FileManager.default.copyItem(atPath: library, toPath: path)
        try say("")
    }

    package func say(_ lines: String...) throws {
        try Data((lines.joined(separator: "\n") + "\n").utf8)
            .write(to: URL(filePath: path + ".txt"), options: .atomic)
    }

    private static let source = #"""
        #define _GNU_SOURCE
        #include <dlfcn.h>
        #include <stdio.h>
        #include <string.h>
        #include <unistd.h>

        typedef unsigned long long word_t;

        /* Lines of the GPU with that word: how many there are, and the first so many. */
        static unsigned rows(int gpu, const char *word, word_t (*out)[3], unsigned room) {
            Dl_info info;
            char name[4096], line[256], what[32];
            int number;
            unsigned found = 0;
            word_t v[3];
            if (!dladdr((void *)rows, &info)) return 0;
            snprintf(name, sizeof name, "%s.txt", info.dli_fname);
            FILE *file = fopen(name, "r");
            if (!file) return 0;
            while (fgets(line, sizeof line, file)) {
                memset(v, 0, sizeof v);
                if (sscanf(line, "%d %31s %llu %llu %llu", &number, what, v, v + 1, v + 2) < 3) continue;
                if (number != gpu || strcmp(what, word)) continue;
                if (found < room) memcpy(out[found], v, sizeof v);
                found++;
            }
            fclose(file);
            return found;
        }
        static int ask(int gpu, const char *word, word_t *value) {
            word_t row[1][3];
            if (!rows(gpu, word, row, 1)) return 0;
            *value = row[0][0];
            return 1;
        }
        static void hang(int gpu) { word_t v = 0; while (ask(gpu, "hang", &v) && v) usleep(2000); }
        static int result(int gpu) { word_t v = 0; return ask(gpu, "result", &v) ? (int)v : 0; }
        static int meter(int gpu) { word_t v = 0; return ask(gpu, "meter-result", &v) && v ? (int)v : result(gpu); }

        /* A handle is the card's number, plus one. */
        static int gpu(void *handle) { return (int)(long)handle - 1; }

        int nvmlInit_v2(void) { hang(-1); return result(-1); }
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
        int nvmlDeviceGetName(void *h, char *text, unsigned size) {
            Dl_info info;
            char name[4096], line[256], words[96];
            int number;
            snprintf(text, size, "Fake");
            if (!dladdr((void *)rows, &info)) return result(gpu(h));
            snprintf(name, sizeof name, "%s.txt", info.dli_fname);
            FILE *file = fopen(name, "r");
            while (file && fgets(line, sizeof line, file))
                if (sscanf(line, "%d name %95[^\n]", &number, words) == 2 && number == gpu(h)) snprintf(text, size, "%s", words);
            if (file) fclose(file);
            return result(gpu(h));
        }
        int nvmlDeviceGetMemoryInfo(void *h, word_t *out) {
            word_t v = 0;
            if (!ask(gpu(h), "memory", &v)) return 3;
            out[0] = v;
            out[1] = 0;
            out[2] = v;
            return result(gpu(h));
        }
        int nvmlDeviceGetPowerUsage(void *h, unsigned *mW) {
            unsigned long long v = 0;
            hang(gpu(h));
            if (meter(gpu(h))) return meter(gpu(h));
            if (!ask(gpu(h), "power", &v)) return 3;
            *mW = (unsigned)v;
            return 0;
        }
        int nvmlDeviceGetTotalEnergyConsumption(void *h, unsigned long long *mJ) {
            if (meter(gpu(h))) return meter(gpu(h));
            return ask(gpu(h), "energy", mJ) ? 0 : 3;
        }
        static FILE *limit_file(int gpu, const char *mode) {
            Dl_info info;
            char name[4096];
            if (!dladdr((void *)rows, &info)) return 0;
            snprintf(name, sizeof name, "%s.limit-%d", info.dli_fname, gpu);
            return fopen(name, mode);
        }
        int nvmlDeviceGetPowerManagementLimit(void *h, unsigned *mW) {
            word_t v = 0;
            FILE *file = limit_file(gpu(h), "r");
            if (file) {
                int found = fscanf(file, "%u", mW);
                fclose(file);
                if (found == 1) return 0;
            }
            if (!ask(gpu(h), "limit", &v)) return 3;
            *mW = (unsigned)v;
            return 0;
        }
        int nvmlDeviceGetPowerManagementLimitConstraints(void *h, unsigned *least, unsigned *most) {
            word_t a = 0, b = 0;
            if (!ask(gpu(h), "least", &a) || !ask(gpu(h), "most", &b)) return 3;
            *least = (unsigned)a;
            *most = (unsigned)b;
            return 0;
        }
        int nvmlDeviceSetPowerManagementLimit(void *h, unsigned mW) {
            word_t v = 0;
            if (ask(gpu(h), "limit-result", &v) && v) return (int)v;
            FILE *file = limit_file(gpu(h), "w");
            if (!file) return 999;
            fprintf(file, "%u", mW);
            fclose(file);
            return 0;
        }
        int nvmlDeviceGetMigMode(void *h, unsigned *current, unsigned *pending) {
            unsigned long long v = 0;
            if (!ask(gpu(h), "mig", &v)) return 3;
            *current = *pending = (unsigned)v;
            return 0;
        }

        int nvmlDeviceGetMinorNumber(void *h, unsigned *minor) {
            word_t v = (word_t)gpu(h);
            ask(gpu(h), "minor", &v);
            *minor = (unsigned)v;
            return result(gpu(h));
        }
        int nvmlDeviceGetPciInfo_v3(void *h, void *info) {
            struct { char legacy[16]; unsigned domain, bus, device, ids[2]; char name[32]; } pci;
            word_t v = 0;
            if (!ask(gpu(h), "bus", &v)) return 3;
            memset(&pci, 0, sizeof pci);
            pci.bus = (unsigned)v;
            snprintf(pci.name, sizeof pci.name, "00000000:%02X:00.0", pci.bus);
            memcpy(info, &pci, sizeof pci);
            return 0;
        }

        static word_t table[20000][3];
        /* The upper half of a word with a process id is padding, in which anything may be. */
        static word_t padded(word_t pid) { return pid >> 32 ? pid : pid | 0xDEADBEEF00000000; }

        static int list(int gpu, const char *what, unsigned *count, word_t *out, unsigned words) {
            word_t v = 0;
            if (ask(gpu, "list-result", &v) && v) return (int)v;
            unsigned found = rows(gpu, what, table, 20000);
            unsigned claimed = ask(gpu, "list-count", &v) ? (unsigned)v : found;
            if (ask(gpu, "words", &v)) words = (unsigned)v;
            if (*count < claimed) { *count = claimed; return 7; }
            for (unsigned i = 0; i < found; i++) {
                out[i * words] = padded(table[i][0]);
                out[i * words + 1] = table[i][1];
                if (words > 2) out[i * words + 2] = 0xFFFFFFFFFFFFFFFF;
                if (words > 3) out[i * words + 3] = 0;
            }
            *count = out && ask(gpu, "written", &v) ? (unsigned)v : claimed;
            return 0;
        }
        #ifdef OLD
        int nvmlDeviceGetComputeRunningProcesses(void *h, unsigned *n, void *out) { return list(gpu(h), "compute", n, out, 2); }
        #else
        int nvmlDeviceGetComputeRunningProcesses_v3(void *h, unsigned *n, void *out) {
            return list(gpu(h), "compute", n, out, 3);
        }
        int nvmlDeviceGetGraphicsRunningProcesses_v2(void *h, unsigned *n, void *out) {
            return list(gpu(h), "graphics", n, out, 3);
        }
        int nvmlDeviceGetProcessUtilization(void *h, word_t *out, unsigned *count, word_t since) {
            word_t v = 0;
            unsigned found = 0;
            if (ask(gpu(h), "sample-result", &v) && v) return (int)v;
            unsigned all = rows(gpu(h), "sample", table, 20000);
            for (unsigned i = 0; i < all; i++)
                if (table[i][1] > since) memmove(table[found++], table[i], sizeof table[i]);
            if (!found) return 6;
            unsigned claimed = ask(gpu(h), "sample-count", &v) ? (unsigned)v : found;
            if (!out || *count < claimed) { *count = claimed; return 7; }
            for (unsigned i = 0; i < found; i++) {
                out[i * 4] = padded(table[i][0]);
                out[i * 4 + 1] = table[i][1];
                out[i * 4 + 2] = table[i][2] | 77ULL << 32;
                out[i * 4 + 3] = 88 | 99ULL << 32;
            }
            *count = ask(gpu(h), "written", &v) ? (unsigned)v : claimed;
            return 0;
        }
        #endif
        """#
}
