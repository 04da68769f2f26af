// Commands for a POSIX shell.

/** Quote a word, if needed, so that a shell reads it literally. @param {string} word */
export const quote = (word) => (/^[\w./:-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`);

/** Join the parts of a command, one a line. @param {string[]} parts */
export const joinLines = (parts) => parts.join(" \\\n  ");

/** Return the cURL command that posts JSON and saves the response. @param {string} url @param {object} body @param {string} accept @param {string} file */
export const curlCommand = (url, body, accept, file) =>
  joinLines([
    `curl ${quote(url)}`,
    "-H 'Content-Type: application/json'",
    `-H 'Accept: ${accept}'`,
    `-d ${quote(JSON.stringify(body))}`,
    `-o ${file}`,
  ]);
