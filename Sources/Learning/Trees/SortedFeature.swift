/// The samples of a node in the order of one feature: each a key whose upper half orders as the feature does, and whose
/// lower half is the sample's place in the node. Equal features stay in the order of their places.
struct SortedFeature {
    private(set) var keys: [UInt64] = []
    private var spare: [UInt64] = []
    private var counts = [Int](repeating: 0, count: 1 << SortedFeature.bits)

    private static let bits = 11

    /// - Parameter value: of the sample at a place; finite.
    mutating func sort(_ count: Int, _ value: (Int) -> Float) {
        keys.removeAll(keepingCapacity: true)
        for place in 0..<count {
            // -0 and 0 are equal.
            let bits = (value(place) + 0).bitPattern
            let ordered = bits & 0x8000_0000 == 0 ? bits | 0x8000_0000 : ~bits
            keys.append(UInt64(ordered) << 32 | UInt64(place))
        }
        // Comparing is faster for few; for many, three passes over 11 bits each.
        if count < 1024 { keys.sort() } else { for pass in 0..<3 { scatter(32 + pass * Self.bits) } }
    }

    func place(_ rank: Int) -> Int { Int(keys[rank] & 0xffff_ffff) }

    func value(_ rank: Int) -> Float {
        let ordered = UInt32(keys[rank] >> 32)
        return Float(bitPattern: ordered & 0x8000_0000 != 0 ? ordered & 0x7fff_ffff : ~ordered)
    }

    /// Counting sort by the bits from `shift` on; stable.
    private mutating func scatter(_ shift: Int) {
        let mask = UInt64(counts.count - 1)
        for i in counts.indices { counts[i] = 0 }
        for key in keys { counts[Int(key >> UInt64(shift) & mask)] += 1 }
        var start = 0
        for i in counts.indices {
            let count = counts[i]
            counts[i] = start
            start += count
        }
        if spare.count < keys.count { spare = keys }
        spare.removeLast(spare.count - keys.count)
        for key in keys {
            let bucket = Int(key >> UInt64(shift) & mask)
            spare[counts[bucket]] = key
            counts[bucket] += 1
        }
        swap(&keys, &spare)
    }
}
