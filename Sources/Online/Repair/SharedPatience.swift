package import Registries
import Synchronization

/// How long registries that give no answer are waited for.
///
/// Each file has all of the time, until one has waited in vain: those after it are tried once each, or not at all where it is Verdaccio
/// that is lost. An answer sets that right.
package final class SharedPatience: Sendable {
    private struct State {
        var isUsedUp = false
        var isVerdaccioLost = false
    }

    private let limit: Duration
    private let state = Mutex(State())

    package init(_ limit: Duration) { self.limit = limit }

    /// Whether Verdaccio was waited for in vain.
    package var isVerdaccioLost: Bool { state.withLock(\.isVerdaccioLost) }

    /// Whether a file may wait on after it has waited so long for what `retry` says.
    package func allows(_ waited: Duration, _ retry: Retry) -> Bool {
        state.withLock { state in
            switch retry {
            case .never, .atOnce, .later: return true
            case .whenUplinkIsBack, .whenVerdaccioAnswers: break
            }
            if waited > limit { state.isUsedUp = true }
            if state.isUsedUp, case .whenVerdaccioAnswers = retry { state.isVerdaccioLost = true }
            return !state.isUsedUp
        }
    }

    /// A tarball has come.
    package func renew() { state.withLock { $0 = State() } }
}
