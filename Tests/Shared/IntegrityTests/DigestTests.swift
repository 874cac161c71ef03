import Integrity
import Testing

@Suite struct DigestTests {
    @Test func `the digest is that of fips 180-4`() {
        let expected =
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"
        #expect(SHA512.digest(of: Array("abc".utf8)).hex == expected)
        #expect(SHA512Digest(hex: expected)?.hex == expected)
        #expect(SHA512Digest(hex: expected.uppercased()) == nil)
        #expect(SHA512Digest(hex: expected.dropLast()) == nil)
    }

    @Test(arguments: [
        ("sha1-qZk+NkcGgWq6PiVxeFDCbJzQ2J0=", 0, 1),
        ("sha512-3a81oZNherrMQXNJriBBMRLm+k6JqX6iCp7u5ktV05ohkpkqJ0/BqDa6PCOj/uu9RU1EI2Q86A4qmslPpUyknw==?x sha384-x", 1, 0),
    ])
    func `npm's integrity strings are read`(text: String, sha512: Int, sha1: Int) throws {
        let integrity = try #require(SubresourceIntegrity(text))
        #expect(integrity.sha512.count == sha512)
        #expect(integrity.sha1.count == sha1)
    }

    @Test(arguments: ["", "sha512-", "sha512-AAAA", "md5-abc", "sha512"])
    func `what proves nothing is no integrity`(text: String) {
        #expect(SubresourceIntegrity(text) == nil)
    }
}
