import Glibc

/// Lets this process, and those that it starts, have more files and connections open at once, as far as it may; service managers begin
/// with 1,024.
///
/// - Returns: how many it may have.
@discardableResult
package func raiseOpenFileLimit(to wanted: Int) -> Int {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 0 }
    guard limit.rlim_cur < UInt(wanted) else { return Int(clamping: limit.rlim_cur) }
    limit.rlim_cur = min(limit.rlim_max, UInt(wanted))
    return setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 ? Int(clamping: limit.rlim_cur) : 0
}
