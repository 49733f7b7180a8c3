import Glibc

/// A user as the system knows it.
package struct User: Hashable, Sendable {
    package var uid: UInt32
    package var gid: UInt32
    package var name: String
    package var home: String
    package var groups: [UInt32]
    package var groupNames: [String]

    package init(uid: UInt32, gid: UInt32, name: String, home: String, groups: [UInt32], groupNames: [String]) {
        self.uid = uid
        self.gid = gid
        self.name = name
        self.home = home
        self.groups = groups
        self.groupNames = groupNames
    }

    /// Looks a uid up in the system's user database; an unknown uid is named by its number and has no groups but `gid`.
    package static func lookup(uid: UInt32, gid: UInt32) -> User {
        var entry = passwd()
        var found: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: 16384)
        guard getpwuid_r(uid, &entry, &buffer, buffer.count, &found) == 0, found != nil else {
            return User(uid: uid, gid: gid, name: "\(uid)", home: "/", groups: [gid], groupNames: [])
        }
        let name = String(cString: entry.pw_name)
        var ids = [gid_t](repeating: 0, count: 512)
        var count = Int32(ids.count)
        if getgrouplist(name, entry.pw_gid, &ids, &count) < 0 { count = 0 }
        let groups = ids.prefix(Int(max(count, 0))).map { UInt32($0) }
        return User(
            uid: uid, gid: entry.pw_gid, name: name, home: String(cString: entry.pw_dir), groups: groups,
            groupNames: groups.compactMap(groupName))
    }

    /// Looks a user up by name; nil where there is none.
    package static func lookup(name: String) -> User? {
        var entry = passwd()
        var found: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: 16384)
        guard getpwnam_r(name, &entry, &buffer, buffer.count, &found) == 0, found != nil else { return nil }
        return lookup(uid: entry.pw_uid, gid: entry.pw_gid)
    }

    private static func groupName(_ gid: UInt32) -> String? {
        var entry = group()
        var found: UnsafeMutablePointer<group>?
        var buffer = [CChar](repeating: 0, count: 65536)
        guard getgrgid_r(gid, &entry, &buffer, buffer.count, &found) == 0, found != nil else { return nil }
        return String(cString: entry.gr_name)
    }
}

extension User {
    /// The number of a group, or nil when there is none of that name.
    package static func groupID(named name: String) -> UInt32? {
        var entry = group()
        var found: UnsafeMutablePointer<group>?
        var buffer = [CChar](repeating: 0, count: 65536)
        guard getgrnam_r(name, &entry, &buffer, buffer.count, &found) == 0, found != nil else { return nil }
        return entry.gr_gid
    }
}
