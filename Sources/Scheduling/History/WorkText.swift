import ConfigFile

/// What a job runs as bytes: as it is, and with each number in it as one sign.
struct WorkText {
    private(set) var bytes: [UInt8] = []

    mutating func add(_ word: String) {
        bytes += word.utf8
        bytes.append(0)
    }

    /// The order of keys, and the lines they stand on, do not matter.
    mutating func add(_ table: ConfigTable) {
        for entry in table.entries.sorted(by: { $0.key < $1.key }) {
            add(entry.key)
            add(entry.node)
        }
        bytes.append(1)
    }

    private mutating func add(_ node: ConfigNode) {
        switch node.value {
        case .string(let text): add(text)
        case .integer(let number): add("\(number)")
        case .float(let number): add("\(number)")
        case .boolean(let flag): add("\(flag)")
        case .timestamp(let time): add("\(time)")
        case .array(let nodes):
            for node in nodes { add(node) }
            bytes.append(2)
        case .table(let table): add(table)
        }
    }

    /// `train.py --lr=0.01 --seed 7` without what a sweep changes: `train.py --lr=# --seed #`.
    var shape: [UInt8] { Self.shape(of: bytes) }

    static func shape(of bytes: some Sequence<UInt8>) -> [UInt8] {
        var shape: [UInt8] = []
        var isInNumber = false
        var last: UInt8 = 0
        for byte in bytes {
            let isDigit = (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            if isDigit, !isInNumber { shape.append(UInt8(ascii: "#")) }
            // 0.1, 1e5, 1e-05.
            let isSign = last == UInt8(ascii: "e") && (byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+"))
            let goesOn = isInNumber && (byte == UInt8(ascii: ".") || byte == UInt8(ascii: "e") || isSign)
            if !isDigit, !goesOn { shape.append(byte) }
            isInNumber = isDigit || goesOn
            last = byte
        }
        return shape
    }
}
