package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"html"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"

	"github.com/spf13/cobra"

	"github.com/assay-hil/assay/reports"
	"github.com/assay-hil/assay/reports/history"
)

// Limits of what the report commands wait for.
const (
	browserLimit  = 10 * time.Second
	serveEndLimit = 5 * time.Second
)

// past is what is known of earlier runs: by the index that was asked for, or by what lies beside the run.
func (f *reportFlags) past(out string) (reports.Past, error) {
	if f.history == "" {
		x := history.NewBeside(out)
		f.index = x
		return x, nil
	}
	x, err := history.Open(f.history)
	if err != nil {
		return nil, fmt.Errorf("--history: %w", err)
	}
	f.index = x
	return x, nil
}

func newReportRender() *cobra.Command {
	var f reportFlags
	cmd := &cobra.Command{
		Use:   "render DIR…",
		Short: "Write a run folder's pages anew, also of a run that was killed; with what an index knows of earlier runs",
		Example: `  assay report render runs/20261122-193300-sim
  assay report render --history runs/history.db runs/20261122-193300-sim`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usage(errors.New("say which run folder: assay report render DIR"))
			}
			for _, dir := range args {
				path, err := f.render(dir)
				if err != nil {
					return err
				}
				fmt.Fprintln(cmd.OutOrStdout(), path)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&f.history, "history", "", historyHelp)
	return cmd
}

// render writes a run's pages and gives the path of the first.
func (f *reportFlags) render(dir string) (string, error) {
	run, err := openRun(dir)
	if err != nil {
		return "", err
	}
	past, err := f.past(filepath.Clean(dir))
	if err != nil {
		return "", usage(err)
	}
	return filepath.Join(dir, reports.IndexFile), errors.Join(run.Render(past), f.index.Close())
}

// knowsPast says whether a run's page was made with earlier runs known.
func knowsPast(page string) bool {
	b, err := os.ReadFile(page)
	return err == nil && bytes.Contains(b, []byte(`"has_past":true`))
}

func newReportOpen() *cobra.Command {
	return &cobra.Command{
		Use:     "open DIR",
		Short:   "Open a run's page in the browser; made anew where it is missing, or was made without the runs that now lie beside it",
		Example: "  assay report open runs/20261122-193300-sim",
		Args:    cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usage(errors.New("say which run folder: assay report open DIR"))
			}
			path := filepath.Join(args[0], reports.IndexFile)
			if !knowsPast(path) {
				var f reportFlags
				if _, err := f.render(args[0]); err != nil {
					if _, missing := os.Stat(path); missing != nil {
						return err
					}
					fmt.Fprintln(cmd.ErrOrStderr(), "the page is as it was:", err) // an archive that can't be written to
				}
			}
			path, err := filepath.Abs(path)
			if err != nil {
				return err
			}
			fmt.Fprintln(cmd.OutOrStdout(), path)
			ctx, cancel := context.WithTimeout(cmd.Context(), browserLimit)
			defer cancel()
			if err := exec.CommandContext(ctx, browser(), path).Run(); err != nil {
				return &exit{exitInconclusive, fmt.Errorf("no browser could be started (%w); open the file yourself", err)}
			}
			return nil
		},
	}
}

// browser is the command that opens a file as the desktop would.
func browser() string {
	if runtime.GOOS == "darwin" {
		return "open"
	}
	return "xdg-open"
}

func newReportServe() *cobra.Command {
	var listen string
	cmd := &cobra.Command{
		Use:   "serve DIR",
		Short: "Serve run folders to a browser on this machine",
		Long: `Serves the run folders at and below DIR, read-only, on the loopback interface. A page works from its file as well:
this is for a lab machine whose files are reached through a tunnel.`,
		Example: `  assay report serve runs
  assay report serve --listen 127.0.0.1:8090 runs`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usage(errors.New("say which folder: assay report serve DIR"))
			}
			if err := loopback(listen); err != nil {
				return usage(err)
			}
			handler, err := reportHandler(args[0])
			if err != nil {
				return usage(err)
			}
			ln, err := net.Listen("tcp", listen)
			if err != nil {
				return usage(fmt.Errorf("--listen: %w", err))
			}
			fmt.Fprintf(cmd.OutOrStdout(), "http://%s/\n", ln.Addr())
			return serveUntil(cmd.Context(), ln, handler)
		},
	}
	cmd.Flags().StringVar(&listen, "listen", "127.0.0.1:0", "address on the loopback interface; port 0 is any")
	return cmd
}

// loopback refuses an address that others can reach: a report is nobody else's business.
func loopback(listen string) error {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return fmt.Errorf("--listen %q is no address such as 127.0.0.1:8090", listen)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return fmt.Errorf("--listen %s: only the loopback interface is served, such as 127.0.0.1:8090", listen)
	}
	return nil
}

// reportHandler serves a folder without listing what is none of a report, and a list of the runs.
func reportHandler(dir string) (http.Handler, error) {
	info, err := os.Stat(dir)
	if err != nil || !info.IsDir() {
		return nil, fmt.Errorf("there is no folder %s", dir)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	files := http.FileServerFS(root.FS())
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			http.Error(w, "read-only", http.StatusMethodNotAllowed)
			return
		}
		if _, err := os.Stat(filepath.Join(dir, reports.IndexFile)); r.URL.Path == "/" && err != nil {
			listRuns(w, dir)
			return
		}
		files.ServeHTTP(w, r)
	}), nil
}

func listRuns(w http.ResponseWriter, dir string) {
	found, err := reports.Find(dir)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprint(w, "<!doctype html><meta charset=utf-8><title>assay: runs</title><style>body{font:15px/1.7 system-ui,sans-serif;max-width:60em;margin:2em auto;padding:0 1em;color-scheme:light dark}</style><h1>Runs</h1><ul>")
	for _, path := range found {
		name, err := filepath.Rel(dir, path)
		if err != nil {
			continue
		}
		words := "it can't be read"
		if run, err := reports.Open(path); err == nil {
			words = run.Summary.Words()
		}
		fmt.Fprintf(w, `<li><a href="%s/index.html">%s</a> %s`, html.EscapeString(filepath.ToSlash(name)), html.EscapeString(name), html.EscapeString(words))
	}
	fmt.Fprint(w, "</ul>")
}

// serveUntil serves until the context ends, and then lets what is being sent be finished.
func serveUntil(ctx context.Context, ln net.Listener, handler http.Handler) error {
	server := &http.Server{Handler: handler, ReadHeaderTimeout: headerWait}
	stopped := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() {
		limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), serveEndLimit)
		defer cancel()
		stopped <- server.Shutdown(limit)
	})
	err := server.Serve(ln)
	if !errors.Is(err, http.ErrServerClosed) {
		stop()
		return err
	}
	return <-stopped
}

// headerWait bounds how long a request's header may take.
const headerWait = 10 * time.Second

func newReportPrune() *cobra.Command {
	var keep history.Keep
	var days int
	var dry bool
	cmd := &cobra.Command{
		Use:   "prune DIR",
		Short: "Remove old run folders by age and count; the last good ones stay",
		Long: `A folder goes when it is older than --days and not among the newest --keep, as far as each is given. Whatever is
said, the newest folder in which a scenario passed stays, for each scenario on each profile: without it nobody could
say since when it fails.`,
		Example: `  assay report prune --days 90 --keep 30 --dry-run runs
  assay report prune --days 90 runs`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case len(args) != 1:
				return usage(errors.New("say which folder: assay report prune --days 90 DIR"))
			case days <= 0 && keep.Count <= 0:
				return usage(errors.New("say what is old: --days 90, or --keep 30"))
			case days < 0 || keep.Count < 0:
				return usage(errors.New("--days and --keep are counts from 1"))
			}
			keep.OlderThan, keep.Now = time.Duration(days)*24*time.Hour, time.Now()
			all, err := history.Prune(cmd.Context(), args[0], keep, dry)
			gone := 0
			for _, p := range all {
				word := "stays"
				if p.Gone {
					word = "goes"
					gone++
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%-5s %s: %s\n", word, p.Dir, p.Why)
			}
			if dry {
				fmt.Fprintf(cmd.OutOrStdout(), "%d of %d would go\n", gone, len(all))
			} else {
				fmt.Fprintf(cmd.OutOrStdout(), "%d of %d are gone\n", gone, len(all))
			}
			return err
		},
	}
	flags := cmd.Flags()
	flags.IntVar(&days, "days", 0, "folders older than this many days")
	flags.IntVar(&keep.Count, "keep", 0, "but not the newest so many")
	flags.BoolVar(&dry, "dry-run", false, "only say what would go")
	return cmd
}

func newReportScan() *cobra.Command {
	return &cobra.Command{
		Use:     "scan DIR…",
		Short:   "Look for card data in clear in folders; exit 3 when there is any",
		Example: "  assay report scan runs/20261122-193300-sim",
		Args:    cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usage(errors.New("say which folder: assay report scan DIR"))
			}
			found := 0
			for _, dir := range args {
				if _, err := os.Stat(dir); err != nil {
					return usage(err)
				}
				leaks, err := reports.Scan(dir)
				if err != nil {
					return err
				}
				for _, l := range leaks {
					fmt.Fprintf(cmd.OutOrStdout(), "%s:%d: %s in clear\n", filepath.Join(dir, l.File), l.Line, l.What)
				}
				found += len(leaks)
			}
			if found > 0 {
				return &exit{code: exitInconclusive}
			}
			_, err := fmt.Fprintln(cmd.OutOrStdout(), "no card data in clear")
			return err
		},
	}
}
