import Testing
import Units

@Suite struct SHA256Tests {
    /// FIPS 180-4 examples and lengths around the block's edge, against `sha256sum`.
    @Test(arguments: [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
        (String(repeating: "a", count: 55), "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318"),
        (String(repeating: "a", count: 56), "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a"),
        (String(repeating: "a", count: 64), "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb"),
        (String(repeating: "a", count: 10_000), "27dd1f61b867b6a0f6e9d8a41c43231de52107e53ae424de8f847b821db4b711"),
    ])
    func vectors(text: String, hash: String) {
        #expect(SHA256.hex(text.utf8) == hash)
    }

    @Test func piecesAreAsGoodAsTheWhole() {
        let text = Array(String(repeating: "0123456789", count: 50).utf8)
        for cut in [0, 1, 63, 64, 65, 127, 500] {
            var hash = SHA256()
            hash.update(text[..<cut])
            hash.update(text[cut...])
            #expect(SHA256.hex(of: hash.digest()) == SHA256.hex(text))
        }
    }
}
