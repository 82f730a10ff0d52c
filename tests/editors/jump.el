;;; jump.el --- go where each message leads  -*- lexical-binding: t -*-
;; SPDX-License-Identifier: GPL-2.0-only

;; emacs --batch -Q -l jump.el MESSAGES, in the tree: prints FILE:LINE for each stop of `next-error'.

(require 'compile)
(setq compilation-skip-threshold 0)     ; stop at steps too, as docs/editors.md says
(let ((tree default-directory)
      (buffer (get-buffer-create "*compilation*")))
  (with-current-buffer buffer
    (setq default-directory tree)
    (insert "-*- mode: compilation -*-\n\nlockspec check --format gcc\n")     ; as M-x compile begins
    (insert-file-contents (car command-line-args-left))
    (compilation-mode)
    (goto-char (point-min)))
  (setq command-line-args-left nil
        next-error-last-buffer buffer)
  (condition-case nil
      (while t
        (next-error)
        (with-current-buffer (window-buffer (selected-window))
          (princ (format "%s:%d\n" (file-relative-name buffer-file-name tree) (line-number-at-pos)))))
    (user-error nil)))
