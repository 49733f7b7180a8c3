import Testing

@testable import LinuxSystem

@Suite struct ProgramTextTests {
    @Test func onlyCodeThatNobodyWritesIsLetGo() {
        let maps = """
            1000-3000 r--p 00000000 fe:00 1 /usr/bin/mld
            3000-9000 r-xp 00002000 fe:00 1 /usr/bin/mld
            9000-a000 rw-p 00008000 fe:00 1 /usr/bin/mld
            7f00-7f40 r-xp 00000000 fe:00 2                  /lib/x y.so
            8000-9000 r-xp 00000000 00:00 0                  [vdso]
            a000-b000 r-xp 00000000 00:00 0
            b000-a000 r-xp 00000000 fe:00 1 /usr/bin/mld
            zz-b000 r-xp 00000000 fe:00 1 /usr/bin/mld
            """
        #expect(ProgramText.areas(of: maps) == [0x3000..<0x9000, 0x7f00..<0x7f40])
    }

    /// It goes on, with all its code.
    @Test func thisProgramGoesOnWithoutIt() {
        #expect(ProgramText.letGo() > 1 << 20)
        #expect((0..<1000).reduce(0, +) == 499_500)
    }
}
