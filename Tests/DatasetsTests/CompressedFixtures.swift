/// What zlib makes of inputs that are simple to write down.
enum Compressed {
    /// A fixed block: "hello hello hello hello, worlds apart".
    static let fixed = bytes(
        "cb48cdc9c957c840277514caf38b72528a15120b128b4a00")

    /// A dynamic block with codes of up to 14 bits: as many letters from "A" on as the Fibonacci numbers say, 15 of them.
    static let longCodes = bytes(
        "05c1814104410c03b1da80ffbbddc49ee9bf1ba49fdfbfbfcfe7f3fd7ebfdfe7799ee7799ef77ddff77ddff77ddff79c"
            + "73ce39e79c73ce39e79c73cebdf7de7befbdf7de7befbdf7de7befbdf7de7befbd333333333333333333333333333333"
            + "333333333333333333333333b3bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
            + "bbbbbbbbbbbbbbbbbb499224499224499224499224499224499224499224499224499224499224499224499224499224"
            + "4992244992244992244992244992246ddbb66ddbb66ddbb66ddbb66ddbb66ddbb66ddbb66ddbb66ddbb66ddbb66ddbb6"
            + "6ddbb66ddbb66ddbb66ddbb66ddbb66ddbb66ddbb66ddbb66ddbb66ddbb66ddbb66ddbb66ddbb66ddbb66ddbb66ddbb6"
            + "6ddbb66ddbb6050000000000000000000000000000000000000000000000000000000000000000000000000000000000"
            + "000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
            + "000000004055555555555555555555555555555555555555555555555555555555555555555555555555555555555555"
            + "555555555555555555555555555555555555555555555555555555555555555555555555555555555555555555555555"
            + "555555555555555555555555555555555555555555555555555555555555555555555555555555555555555555555555"
            + "55555555555555555555555555ff01")

    /// A dynamic block with matches: the squares of 0 to 199 with spaces between.
    static let squares = bytes(
        "2593d901042108435bb1043904e9bfb179717e7658e50849dccb56ae5956cbcf8a5a39ab725d5bb6f732e79bc92d1943"
            + "0a397ef8de59e1493ed5e465f2bdb98ecf3a5dabc82bbecdffe6fc723fe44da92f85b6e960462b534f739a5b684a6adc"
            + "d1dc128012920691dd140610fa160a1362dfb33c762ecf6d20a3c24b51ebecea76c80b5504fd051ae441bf483a876644"
            + "332d2e736340901b2c295419e0cb04691698b3b5add6389b7d8e69e1d0c6dcaca39d4f2b1ace6a734b95c1261575a8ad"
            + "a64b5dfaf53e22878a66e6eac3dc6e10f480e58afaebe0bb292d0accf7827eb4071944a0844db69cbb9f56226bfb8b73"
            + "8be022039a4936539d9987e2148f56a2d4aed8f55fe910e77e44bfb794f079a23c7d22cf1348aac548c0b47ade502d28"
            + "15df2be9a8e33720c21e2776aee27ae715caa9975fa2d2faf5e954cf7efd7b34ebbeb988aef8e1992d6cf370ce33c708"
            + "3f3bb38b6fede5bb6510fb1d12b2888907573176113ffedbc4c59b87e93cf2f9a8959faf36437d52cce318f53fd203ef"
            + "abf64825475dce4bda39c0c97f8a7a1fbd9096cece1632a2d4e7cda876e4099f030f100c2798b3655171157b149b5c05"
            + "7a72c2e5356c2ba3ba1c18617a79215f46d01a2b6b2e128d6279384ec8cee739bba42f967f7ebfb27ebf57d0a50771df"
            + "dbe0812ad68b41defd9ec2b60f")

    /// A gzip file: "the quick brown fox jumps over the lazy dog; ", 20 times.
    static let gzip = bytes(
        "1f8b08000000000002032bc94855282ccd4cce56482aca2fcf5348cbaf50c82acd2d2856c82f4b2d5228014ae7245655"
            + "2aa4e4a75b8379a38a47158f2aa6aa6200a4cefd7684030000")

    private static func bytes(_ hex: String) -> [UInt8] {
        let digits = hex.utf8.map { $0 < 0x3a ? $0 - 0x30 : $0 - 0x57 }
        return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }
}
