import Glibc

/// The shared libraries this process was started with.
package enum LoadedLibraries {
    /// The directories they were loaded from: a program of the same build needs the same ones to be readable.
    package static func directories() -> [String] {
        var directories: Set<String> = []
        withUnsafeMutablePointer(to: &directories) { pointer in
            _ = dl_iterate_phdr(
                { info, _, context in
                    guard let info, let context, let name = info.pointee.dlpi_name else { return 0 }
                    let path = String(cString: name)
                    if path.hasPrefix("/"), let slash = path.lastIndex(of: "/") {
                        context.assumingMemoryBound(to: Set<String>.self).pointee.insert(String(path[..<slash]))
                    }
                    return 0
                }, pointer)
        }
        return directories.sorted()
    }
}
