// Debian's chromium, headless, driven through the DevTools protocol on two pipes (--remote-debugging-pipe): JSON texts, each
// ended by a zero byte. No port, no driver program, no further language.

import Foundation
import Glibc

/// A browser of a test's own. It ends with its last reference.
public final class Browser {
    /// Chromium on this machine, or nil.
    public static let executable: String? = {
        if let named = ProcessInfo.processInfo.environment["CHROMIUM"] { return named }
        return ["/usr/bin/chromium", "/usr/bin/chromium-browser"].first { access($0, X_OK) == 0 }
    }()

    /// How long the browser may take for one answer: it starts some ten processes on a machine that may be busy.
    static let patience = Duration.seconds(120)

    private let directory = TemporaryDirectory()
    private let pid: pid_t
    private let commands: Int32
    private let answers: Int32
    private var received: [UInt8] = []
    private var lastID: Int64 = 0

    /// What every page of this browser complained of: uncaught errors, console errors and warnings, refused resources.
    public private(set) var complaints: [String] = []

    /// Starts it.
    public init() throws {
        guard let executable = Browser.executable else { throw TestSupportError("there is no chromium here") }
        let arguments = [
            "--headless=new", "--remote-debugging-pipe", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
            "--hide-scrollbars", "--force-color-profile=srgb", "--no-first-run", "--disable-extensions",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
            "--user-data-dir=\(directory.file("profile"))", "about:blank",
        ]
        let environment = ["PATH=/usr/bin:/bin", "HOME=\(directory.path)", "TMPDIR=\(directory.path)", "LANG=C.UTF-8"]
        let directory = directory
        let started = SpawnLock.shared.withLock { () -> (pid_t?, Int32, Int32) in
            let (commandsIn, commandsOut) = Self.highPipe()
            let (answersIn, answersOut) = Self.highPipe()
            let log = SpawnFile.create(directory.file("log"))
            let pid = SpawnLock.spawn(
                executable, arguments: arguments, environment: environment, directory: directory.path,
                files: [0: .null, 1: log, 2: log, 3: .descriptor(commandsIn), 4: .descriptor(answersOut)])
            close(commandsIn)
            close(answersOut)
            return (pid, commandsOut, answersIn)
        }
        (commands, answers) = (started.1, started.2)
        guard let pid = started.0 else {
            self.pid = -1
            throw TestSupportError("\(executable) cannot be started")
        }
        self.pid = pid
        ProcessReaper.add(pid)
    }

    /// Both ends lie above the numbers that the child is to have.
    private static func highPipe() -> (readEnd: Int32, writeEnd: Int32) {
        let (readEnd, writeEnd) = SpawnLock.pipeClosedOnExec()
        defer {
            close(readEnd)
            close(writeEnd)
        }
        return (fcntl(readEnd, F_DUPFD_CLOEXEC, 10), fcntl(writeEnd, F_DUPFD_CLOEXEC, 10))
    }

    deinit {
        close(commands)
        close(answers)
        guard pid > 0 else { return }
        // Without its pipe it ends by itself, its children too; one that does not is ended.
        ProcessReaper.remove(pid)
        var status: Int32 = 0
        let isGone = poll(within: .seconds(10), every: .milliseconds(10)) { waitpid(pid, &status, WNOHANG) != 0 }
        if !isGone {
            kill(pid, SIGKILL)
            waitpid(pid, &status, 0)
        }
    }

    // MARK: The protocol

    /// Sends a command and answers its result.
    ///
    /// - Throws: `TestSupportError` when the browser refuses, ends, or does not answer in time.
    @discardableResult
    func call(_ method: String, _ parameters: [String: Any] = [:], session: String? = nil) throws -> JSONMeaning {
        lastID += 1
        var message: [String: Any] = ["id": lastID, "method": method, "params": parameters]
        if let session { message["sessionId"] = session }
        try send(JSONSerialization.data(withJSONObject: message) + [0])
        while true {
            let answer = try nextMessage(for: method)
            guard answer["id"]?.integer == lastID else {
                note(answer)
                continue
            }
            if let error = answer["error"] {
                throw TestSupportError("\(method): \(error["message"]?.text ?? "refused")")
            }
            return answer["result"] ?? .null
        }
    }

    private func note(_ event: JSONMeaning) {
        guard let method = event["method"]?.text, let parameters = event["params"] else { return }
        switch method {
        case "Runtime.exceptionThrown":
            let details = parameters["exceptionDetails"]
            complaints.append(details?["exception"]?["description"]?.text ?? details?["text"]?.text ?? "an error")
        case "Runtime.consoleAPICalled" where ["error", "warning", "assert"].contains(parameters["type"]?.text):
            let words = parameters["args"]?.elements.compactMap { $0["value"]?.text } ?? []
            complaints.append(words.joined(separator: " "))
        case "Log.entryAdded" where ["error", "warning"].contains(parameters["entry"]?["level"]?.text):
            complaints.append(parameters["entry"]?["text"]?.text ?? "an entry in the log")
        default: break
        }
    }

    private func send(_ data: Data) throws {
        var rest = data[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { write(commands, $0.baseAddress, $0.count) }
            guard written > 0 else { throw TestSupportError("the browser is gone: \(log)") }
            rest = rest.dropFirst(written)
        }
    }

    private func nextMessage(for method: String) throws -> JSONMeaning {
        let deadline = ContinuousClock.now + Self.patience
        var searched = 0
        while true {
            if let end = received[searched...].firstIndex(of: 0) {
                let message = try JSONMeaning(Array(received[..<end]))
                received.removeFirst(end + 1)
                return message
            }
            searched = received.count
            var waiting = pollfd(fd: answers, events: Int16(POLLIN), revents: 0)
            let left = deadline - ContinuousClock.now
            guard left > .zero, Glibc.poll(&waiting, 1, left.pollMilliseconds) != 0 else {
                throw TestSupportError("the browser did not answer \(method) within \(Self.patience): \(log)")
            }
            var chunk = [UInt8](repeating: 0, count: 1 << 16)
            let count = read(answers, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw TestSupportError("the browser ended: \(log)") }
            received.append(contentsOf: chunk[..<count])
        }
    }

    private var log: String { String((text(of: directory.file("log")) ?? "").suffix(2000)) }
}

/// A page in a browser.
public final class BrowserPage {
    private let browser: Browser
    private let session: String

    /// An empty page.
    ///
    /// - Parameters:
    ///   - width: of the window, in pixels.
    ///   - isDark: what the page learns of its reader's wish.
    public init(in browser: Browser, width: Int = 1400, height: Int = 900, isDark: Bool = false) throws {
        self.browser = browser
        let target = try browser.call("Target.createTarget", ["url": "about:blank"])
        let attached = try browser.call(
            "Target.attachToTarget", ["targetId": target["targetId"]?.text ?? "", "flatten": true])
        session = attached["sessionId"]?.text ?? ""
        for domain in ["Page", "Runtime", "Log"] { try call("\(domain).enable") }
        try resize(width: width, height: height)
        try setMedia("screen", isDark: isDark)
    }

    @discardableResult
    private func call(_ method: String, _ parameters: [String: Any] = [:]) throws -> JSONMeaning {
        try browser.call(method, parameters, session: session)
    }

    /// Goes to a file and waits until it is there whole.
    public func open(path: String) throws {
        let result = try call("Page.navigate", ["url": "file://\(path)"])
        if let error = result["errorText"]?.text { throw TestSupportError("\(path): \(error)") }
        try wait(until: "location.protocol === 'file:' && document.readyState === 'complete'")
    }

    /// Goes to a page of a server and waits until it is there whole.
    public func open(url: String) throws {
        let result = try call("Page.navigate", ["url": url])
        if let error = result["errorText"]?.text { throw TestSupportError("\(url): \(error)") }
        try wait(until: "location.protocol === 'http:' && document.readyState === 'complete'")
    }

    /// Changes the window's size.
    public func resize(width: Int, height: Int) throws {
        try call(
            "Emulation.setDeviceMetricsOverride",
            ["width": width, "height": height, "deviceScaleFactor": 1, "mobile": false])
    }

    /// What media queries see: `screen` or `print`, light or dark.
    public func setMedia(_ media: String, isDark: Bool) throws {
        try call(
            "Emulation.setEmulatedMedia",
            [
                "media": media,
                "features": [["name": "prefers-color-scheme", "value": isDark ? "dark" : "light"]],
            ])
    }

    /// The value of a JavaScript expression, as JSON has it.
    @discardableResult
    public func evaluate(_ expression: String) throws -> JSONMeaning {
        let result = try call(
            "Runtime.evaluate", ["expression": expression, "returnByValue": true, "awaitPromise": true])
        if let details = result["exceptionDetails"] {
            let text = details["exception"]?["description"]?.text ?? details["text"]?.text ?? "an error"
            throw TestSupportError("\(expression): \(text)")
        }
        return result["result"]?["value"] ?? .null
    }

    /// The text that a JavaScript expression gives.
    public func text(_ expression: String) throws -> String? { try evaluate(expression).text }

    /// Waits until a JavaScript expression is true.
    public func wait(until expression: String) throws {
        let isSo = try poll(within: Browser.patience, every: .milliseconds(20)) {
            try evaluate(expression) == .boolean(true)
        }
        if !isSo { throw TestSupportError("it did not come to \(expression)") }
    }

    /// Moves the mouse there, in pixels of the window.
    public func point(x: Double, y: Double) throws {
        try call("Input.dispatchMouseEvent", ["type": "mouseMoved", "x": x, "y": y])
    }

    /// Clicks there.
    public func click(x: Double, y: Double) throws {
        for type in ["mousePressed", "mouseReleased"] {
            try call("Input.dispatchMouseEvent", ["type": type, "x": x, "y": y, "button": "left", "clickCount": 1])
        }
    }

    /// Presses a key by its DOM name, like `ArrowRight`.
    public func press(_ key: String, shift: Bool = false) throws {
        var event: [String: Any] = ["key": key, "code": key, "modifiers": shift ? 8 : 0]
        // What a browser does by itself with a key follows from these.
        let meanings: [String: (code: Int, text: String?)] = [
            "Enter": (13, "\r"), "Tab": (9, nil), "Escape": (27, nil),
        ]
        if let meaning = meanings[key] {
            event["windowsVirtualKeyCode"] = meaning.code
            event["text"] = meaning.text
        }
        for type in ["keyDown", "keyUp"] {
            event["type"] = type
            if type == "keyUp" { event["text"] = nil }
            try call("Input.dispatchKeyEvent", event)
        }
    }

    /// Types text where the focus is.
    public func type(_ text: String) throws { try call("Input.insertText", ["text": text]) }

    /// The page as PNG bytes, all of it when `isWhole`, else what the window shows.
    public func picture(isWhole: Bool = true) throws -> Data {
        let result = try call("Page.captureScreenshot", ["format": "png", "captureBeyondViewport": isWhole])
        return Data(base64Encoded: result["data"]?.text ?? "") ?? Data()
    }

    /// The page as a printer would get it, as PDF bytes.
    public func printed() throws -> Data {
        try call("Emulation.setEmulatedMedia", ["media": "", "features": []])
        let result = try call("Page.printToPDF", ["preferCSSPageSize": true, "printBackground": false])
        return Data(base64Encoded: result["data"]?.text ?? "") ?? Data()
    }
}
