/// The shared libraries this process was started with.
package enum LoadedLibraries {
    /// The directories they were loaded from: a program of the same build needs the same ones to be readable.
    package static func directories() -> [String] {
        // Always from the real tree: it describes our own process, whatever hardware is presented to us.
        // Without it nothing more is granted, and a program that needs a library says which.
        (try? SystemFile.text("/proc/self/maps", limit: 4 << 20)).map(directories(maps:)) ?? []
    }

    /// The last column of each line names the mapped file; libraries have `.so` in their name.
    static func directories(maps: String) -> [String] {
        var directories: Set<String> = []
        for line in maps.split(separator: "\n") {
            guard let start = line.firstIndex(of: "/"), let slash = line.lastIndex(of: "/"), start < slash,
                line[slash...].contains(".so")
            else { continue }
            directories.insert(String(line[start..<slash]))
        }
        return directories.sorted()
    }
}
