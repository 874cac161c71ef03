/// How a server and the process of a job speak with each other.
///
/// The server names the job in the environment and holds the only writing end of the process's standard input; a letter on it says why the job
/// is to end, and its end that the server is gone.
package enum JobProcess {
    /// The variable of the environment that names the job.
    package static let variable = "FERRY_JOB"

    /// The letter for a reason.
    package static func letter(_ stop: JobRun.Stop) -> UInt8 {
        switch stop {
        case .cancelled: UInt8(ascii: "c")
        case .timedOut: UInt8(ascii: "t")
        case .shutdown, .orphaned: UInt8(ascii: "s")
        }
    }

    /// The reason for a letter.
    package static func stop(_ letter: UInt8) -> JobRun.Stop {
        switch letter {
        case UInt8(ascii: "t"): .timedOut
        case UInt8(ascii: "s"): .shutdown
        default: .cancelled
        }
    }
}
