import Platform
import SystemPackage
import Testing

@Suite struct FilePathTests {
    @Test(arguments: ["", "/", "a", "/a", "a/b", "/a/b", "/a/b/", "//a//b", "../a", "..", "/.", "/a/.hidden", "/ä/ö"])
    func `a path's parent and name are those of its components`(text: String) {
        let path = FilePath(text)
        #expect(path.parent == path.removingLastComponent())
        #expect(path.name == path.lastComponent?.string ?? "")
    }

    @Test func `a name that is no UTF-8 keeps its directory's bytes`() {
        let path = FilePath(platformString: [0x2F, -1, 0x2F, 0x61, 0] as [CInterop.PlatformChar])
        #expect(path.parent == path.removingLastComponent())
    }
}
