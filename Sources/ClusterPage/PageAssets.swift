import HTTPServer

/// What a browser loads, from the files in Assets, which are compiled in.
enum PageAssets {
    static let page = asset(PackageResources.page_html, "text/html; charset=utf-8")

    /// Style and scripts by their names below `/page`.
    static let parts: [String: HTTPResponse] = {
        let scripts = [
            "page": PackageResources.page_js, "words": PackageResources.words_js, "matrix": PackageResources.matrix_js,
            "charts": PackageResources.charts_js, "details": PackageResources.details_js,
            "switches": PackageResources.switches_js,
        ]
        var parts = ["page.css": asset(PackageResources.page_css, "text/css; charset=utf-8")]
        for (name, bytes) in scripts { parts["\(name).js"] = asset(bytes, "text/javascript; charset=utf-8") }
        return parts
    }()

    /// Nothing but what this server serves is loaded or run, nothing is sent elsewhere, and nobody may frame the page, where its
    /// switches could be clicked unseen.
    private static let policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; "
        + "form-action 'none'; frame-ancestors 'none'"

    private static func asset(_ bytes: [UInt8], _ contentType: String) -> HTTPResponse {
        var response = HTTPResponse(contentType: contentType, body: bytes)
        response.fields = [
            ("Content-Security-Policy", policy), ("Referrer-Policy", "no-referrer"),
            ("Cross-Origin-Opener-Policy", "same-origin"), ("Cross-Origin-Resource-Policy", "same-origin"),
        ]
        return response
    }
}
