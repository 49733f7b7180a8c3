// RFC 1951, section 3.2.5 and 3.2.7.
extension Inflate {
    /// Base and extra bits of the match lengths, symbols 257 to 285.
    static let lengths: [(base: Int, extra: Int)] = [
        (3, 0), (4, 0), (5, 0), (6, 0), (7, 0), (8, 0), (9, 0), (10, 0), (11, 1), (13, 1), (15, 1), (17, 1), (19, 2),
        (23, 2), (27, 2), (31, 2), (35, 3), (43, 3), (51, 3), (59, 3), (67, 4), (83, 4), (99, 4), (115, 4), (131, 5),
        (163, 5), (195, 5), (227, 5), (258, 0),
    ]

    /// Base and extra bits of the match distances, symbols 0 to 29.
    static let distances: [(base: Int, extra: Int)] = [
        (1, 0), (2, 0), (3, 0), (4, 0), (5, 1), (7, 1), (9, 2), (13, 2), (17, 3), (25, 3), (33, 4), (49, 4), (65, 5),
        (97, 5), (129, 6), (193, 6), (257, 7), (385, 7), (513, 8), (769, 8), (1025, 9), (1537, 9), (2049, 10),
        (3073, 10), (4097, 11), (6145, 11), (8193, 12), (12289, 12), (16385, 13), (24577, 13),
    ]

    /// The order in which the lengths of the length codes are written.
    static let lengthOrder = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]

    /// Both codes of blocks that bring none.
    static let fixedLiterals = fixed(
        [(144, 8), (112, 9), (24, 7), (8, 8)].flatMap { repeatElement(UInt8($0.1), count: $0.0) })
    static let fixedDistances = fixed([UInt8](repeating: 5, count: 32))

    private static func fixed(_ lengths: [UInt8]) -> HuffmanCode {
        // The standard's own code is a code; an empty one would decode nothing.
        HuffmanCode(lengths: lengths[...]) ?? HuffmanCode.none
    }
}

extension HuffmanCode {
    /// Without any code.
    static let none = HuffmanCode()

    private init() {}
}
