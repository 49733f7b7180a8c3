import Glibc

/// A shared library that is opened while the program runs, so that the program also runs where it is not installed.
///
/// Never closed: what was looked up in it stays valid for as long as the program runs.
///
/// `@unchecked Sendable`: the handle is never changed or closed, and dlsym(3) may be called from any thread.
package struct DynamicLibrary: @unchecked Sendable {
    /// From dlopen(3).
    private let handle: UnsafeMutableRawPointer

    package struct Failure: Error, Hashable, Sendable {
        /// The loader's own words.
        package var message: String
        /// The library is not there, as opposed to one that does not fit.
        package var isAbsent: Bool { message.contains("No such file or directory") }
    }

    /// - Parameter name: a path, or a name that the loader looks for.
    package init(_ name: String) throws(Failure) {
        guard let handle = dlopen(name, RTLD_NOW | RTLD_LOCAL) else {
            throw Failure(message: dlerror().map { String(cString: $0) } ?? "cannot load \(name)")
        }
        self.handle = handle
    }

    /// A function of the library, or nil if it has none of that name.
    ///
    /// - Parameter type: as the library's header declares it (`@convention(c)`); nothing can check that it is right.
    package func function<T>(_ name: String, as type: T.Type) -> T? {
        dlsym(handle, name).map { unsafeBitCast($0, to: type) }
    }
}
