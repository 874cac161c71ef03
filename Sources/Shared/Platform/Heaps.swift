import CPlatform

/// Lets all threads share two heaps, where the C library would give each thread one that keeps what was freed in it.
///
/// A program that does this before it starts a thread takes a tenth less memory, and no more time.
package func shareHeaps() { _ = cplatform_limit_heaps(2) }
